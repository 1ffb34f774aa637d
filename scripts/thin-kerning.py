"""Takes out of a font's kerning how it changes with the weight: 5 KB for differences of a hundredth of a letter."""

import sys

from fontTools.ttLib import TTFont

font = TTFont(sys.argv[1])
for lookup in font["GPOS"].table.LookupList.Lookup:
    for table in lookup.SubTable:
        pairs = getattr(table, "ExtSubTable", table)
        if pairs.Format == 1:
            records = [record for group in pairs.PairSet for record in group.PairValueRecord]
        else:
            records = [record for group in pairs.Class1Record for record in group.Class2Record]
        for value in [value for record in records for value in (record.Value1, record.Value2) if value]:
            for name in ("XPlaDevice", "YPlaDevice", "XAdvDevice", "YAdvDevice"):
                if hasattr(value, name):
                    delattr(value, name)
        # The bits of the four values themselves.
        pairs.ValueFormat1 &= 0xF
        pairs.ValueFormat2 &= 0xF
definitions = font["GDEF"].table
definitions.VarStore = None
definitions.Version = 0x00010002
font.flavor = "woff2"
font.save(sys.argv[1])
