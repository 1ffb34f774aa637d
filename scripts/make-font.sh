#!/bin/sh
# Makes src/web/instrument-sans.woff2 of the font in node_modules: the letters of western Europe, without features that no
# page uses and signs that names of videos hardly have, and with one kerning for all weights (10 KB less). Needs Debian's
# `fonttools` and `python3-brotli`. The font is under the SIL Open Font License.
set -eu
cd "$(dirname "$0")/.."
pyftsubset node_modules/@fontsource-variable/instrument-sans/files/instrument-sans-latin-wght-normal.woff2 \
  --unicodes='U+20-7E,U+A0,U+A1,U+A9,U+AB,U+B0,U+B7,U+BB,U+BF-FF,U+152,U+153,U+2013,U+2014,U+2018-201E,U+2022,U+2026,U+20AC,U+2212' \
  --layout-features='kern,tnum' --no-hinting --flavor=woff2 --output-file=src/web/instrument-sans.woff2
/usr/bin/python3 scripts/thin-kerning.py src/web/instrument-sans.woff2
