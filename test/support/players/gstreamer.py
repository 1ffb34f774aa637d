"""Plays a URL with GStreamer's playbin as fast as it decodes: `gstreamer.py ELEMENT URL [SEEK…]`. Prints one JSON object."""

import json
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

AUDIO_AND_VIDEO = 0x3
TIMEOUT = 30 * Gst.SECOND

Gst.init(None)
playbin = Gst.ElementFactory.make(sys.argv[1])
seeks = [float(text) for text in sys.argv[3:]]
seen = {"video": [], "audio": []}
report = {"complaints": [], "seeks": []}


def note(pad, info, kind):
    buffer = info.get_buffer()
    segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
    start = segment.to_stream_time(Gst.Format.TIME, buffer.pts)
    length = 0 if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration
    seen[kind].append((start / Gst.SECOND, (start + length) / Gst.SECOND))
    return Gst.PadProbeReturn.OK


def sink(kind):
    element = Gst.ElementFactory.make("fakesink")
    element.set_property("sync", False)
    element.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, note, kind)
    playbin.set_property(kind + "-sink", element)


def wait_for(wanted):
    failures = Gst.MessageType.ERROR | Gst.MessageType.WARNING
    while True:
        message = playbin.get_bus().timed_pop_filtered(TIMEOUT, wanted | failures)
        if message is None:
            finish("nothing happened any more")
        if message.type == Gst.MessageType.ERROR:
            finish("error: %s (%s)" % message.parse_error())
        if message.type == Gst.MessageType.WARNING:
            text = "warning: %s (%s)" % message.parse_warning()
            # The sink is none that has a volume.
            if "No volume control found" not in text:
                report["complaints"].append(text)
            continue
        return


def spans():
    return {
        kind: None if not times else {"count": len(times), "first": times[0][0], "last": max(end for _, end in times)}
        for kind, times in seen.items()
    }


def forget():
    for times in seen.values():
        times.clear()


def longest_step():
    """Seconds between two pictures that follow each other, at most."""
    starts = sorted(start for start, _ in seen["video"])
    return max((after - before for before, after in zip(starts, starts[1:])), default=0)


def finish(complaint=None):
    if complaint is not None:
        report["complaints"].append(complaint)
    print(json.dumps(report))
    playbin.set_state(Gst.State.NULL)
    sys.exit(0)


for kind in seen:
    sink(kind)
playbin.set_property("flags", AUDIO_AND_VIDEO)
playbin.set_property("uri", sys.argv[2])
playbin.set_state(Gst.State.PAUSED)
wait_for(Gst.MessageType.ASYNC_DONE)
report["duration"] = playbin.query_duration(Gst.Format.TIME)[1] / Gst.SECOND
for seconds in seeks:
    forget()
    playbin.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE, int(seconds * Gst.SECOND))
    wait_for(Gst.MessageType.ASYNC_DONE)
    report["seeks"].append({"to": seconds, **spans()})
playbin.set_state(Gst.State.PLAYING)
wait_for(Gst.MessageType.EOS)
report["played"] = spans()
report["longestStep"] = longest_step()
finish()
