"""Plays an RTSP URL with rtspsrc in playbin: `gstreamer-rtsp.py URL tcp|udp SEEK`. Prints one JSON object.

Whole to the end of the stream; then anew: pauses and goes on; then anew: seeks.
"""

import json
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

TIMEOUT = 20 * Gst.SECOND
PROTOCOLS = {"tcp": 4, "udp": 1}

Gst.init(None)
url, transport, place = sys.argv[1], sys.argv[2], float(sys.argv[3])
seen = []
report = {"complaints": []}
playbin = None


def note(pad, info, kind):
    buffer = info.get_buffer()
    segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
    seen.append((kind, segment.to_stream_time(Gst.Format.TIME, buffer.pts) / Gst.SECOND))
    return Gst.PadProbeReturn.OK


def set_up_source(_playbin, source):
    source.set_property("protocols", PROTOCOLS[transport])
    source.set_property("latency", 200)


def make():
    global playbin
    playbin = Gst.ElementFactory.make("playbin")
    playbin.set_property("uri", url)
    playbin.connect("source-setup", set_up_source)
    for kind in ("video", "audio"):
        element = Gst.ElementFactory.make("fakesink")
        element.set_property("sync", True)
        element.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, note, kind)
        playbin.set_property(kind + "-sink", element)


def wait_for(wanted, timeout=TIMEOUT):
    message = playbin.get_bus().timed_pop_filtered(timeout, wanted | Gst.MessageType.ERROR)
    if message is not None and message.type == Gst.MessageType.ERROR:
        report["complaints"].append("error: %s (%s)" % message.parse_error())
        return False
    return message is not None


def until(found, what):
    deadline = time.time() + 20
    while not found():
        if time.time() > deadline:
            report["complaints"].append("waited in vain: " + what)
            return False
        if wait_for(Gst.MessageType.EOS, Gst.SECOND // 20):
            report["complaints"].append("ended: " + what)
            return False
    return True


def spans():
    result = {}
    for kind in ("video", "audio"):
        times = [at for one, at in seen if one == kind]
        result[kind] = {"count": len(times), "first": min(times, default=None), "last": max(times, default=None)}
    return result


def state(wanted):
    playbin.set_state(wanted)
    playbin.get_state(TIMEOUT)


make()
state(Gst.State.PLAYING)
if not wait_for(Gst.MessageType.EOS):
    report["complaints"].append("no end")
report["whole"] = spans()
playbin.set_state(Gst.State.NULL)

seen.clear()
make()
state(Gst.State.PLAYING)
until(lambda: len(seen) > 30, "beginning")
state(Gst.State.PAUSED)
time.sleep(0.3)
before = spans()
time.sleep(1)
report["whilePaused"] = spans()["video"]["count"] - before["video"]["count"]
paused_at = before["video"]["last"]
count = len(seen)
state(Gst.State.PLAYING)
until(lambda: len([1 for kind, _ in seen[count:] if kind == "video"]) > 3, "going on")
after = [at for kind, at in seen[count:] if kind == "video"]
report["resumed"] = {"pausedAt": paused_at, "first": after[0] if after else None}
playbin.set_state(Gst.State.NULL)

# Anew: over UDP rtspsrc of GStreamer 1.22 mistakes times of arrival in a seek after a pause, with every server.
seen.clear()
make()
state(Gst.State.PLAYING)
until(lambda: len(seen) > 60, "beginning again")
seen.clear()
if not playbin.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT, int(place * Gst.SECOND)):
    report["complaints"].append("no seek")
if not wait_for(Gst.MessageType.EOS):
    report["complaints"].append("no end after the seek")
report["sought"] = spans()
playbin.set_state(Gst.State.NULL)
print(json.dumps(report))
