import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { factsOf } from "./original-facts.ts";
import { type Complaints, type Ran, runProgram, type Task, unexplained } from "./player.ts";

/** How many times faster than real time. */
const rate = 8;
/** Late pictures are decoded all the same: at this speed a busy machine would leave out those that others refer to. */
const keepPictures = ["--no-drop-late-frames", "--no-skip-frames", "--no-avcodec-hurry-up"];
const nobody = 65534;
/** The last pictures stay in its packetizer; those of the original as well. */
const keptBack = 6;
const syncToleranceSeconds = 0.03;

/** Lines that say nothing of the stream, and why. */
const explained = [
  /^VLC media player|interface error|libvlc error|vlcpulse audio output error|dummy interface|idummy demux|^\s*\[.*\] dbus /, // No desktop here.
  /elst box found|no chunk defined|STTS table of 0 entries/, // Said of every fragmented file.
  /unknown box type/, // elng, and what QuickTime files bring along.
  /too low audio sample frequency \(0\)|failed to create audio output/, // AC-3 in fragments, ffmpeg's as well.
  /Timestamp conversion failed for|Could not convert timestamp 0 for/, // A decoder that is faster than the clock starts.
  /Changing stream format Unknown -> (MP4|WebVTT)|Ending demuxer stream\. \[needrestart\]/,
  /Fragment sequence discontinuity detected \d+ != 0/, // It expects the first fragment that it sees to be number 0.
  /invalid stop-time ignored|INPUT_CONTROL_SET_TIME \d+ failed/, // --start-time of the playlist, which is no stream.
  /no more input streams for this mux/, // The end.
  /picture is too late to be displayed|More than \d+ late frames, dropping frame/, // At eight times the speed on a busy machine.
  /buffer deadlock prevented/, // A seek to between the picture's cut and the sound's, a packet later: it says so of ffmpeg's HLS as well, and plays.
  /decoded zero sample/, // The packet that primes the AAC decoder.
];

/** VLC: from the start and from each seek to the end as fast as it plays, and what its demuxer takes out of the stream. */
export async function playWithVlc(task: Task): Promise<Complaints> {
  const home = mkdtempSync(join(tmpdir(), "kinora-vlc-"));
  try {
    if (process.getuid?.() === 0) chownSync(home, nobody, nobody);
    chmodSync(home, 0o755);
    const complaints: string[] = [];
    for (const from of [0, ...task.seeks]) {
      const ran = await runVlc(
        home,
        ["--rate", String(rate), ...keepPictures, "-V", "dummy", "--aout=adummy", `--start-time=${from}`],
        task,
      );
      const least = ((task.original.durationSeconds - from) / rate) * 0.9;
      const found = judge(ran, task);
      // It starts at a key frame before the place, so it never plays for a shorter time than this.
      if (ran.seconds < least) found.push(`ended after ${ran.seconds} s instead of ${least} s`);
      complaints.push(...found.map((text) => `from ${from} s: ${text}`));
    }
    return [...complaints, ...(await takeOut(home, task))];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** VLC refuses to run as root. */
function runVlc(home: string, options: readonly string[], task: Task): Promise<Ran> {
  const other =
    process.getuid?.() === 0 ? ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] : [];
  const command = ["cvlc", "-I", "dummy", "--no-color", "--no-interact", "-v", ...options, task.url, "vlc://quit"];
  return runProgram([...other, "env", `--chdir=${home}`, ...command], { HOME: home, XDG_RUNTIME_DIR: home });
}

function judge({ code, errors }: Ran, task: Task): string[] {
  const complaints = unexplained(errors, [...explained, ...task.explained]);
  return code === 0 ? complaints : [...complaints, `ended with code ${code}`];
}

/** Codecs that VLC can put into a transport stream. */
const carried = new Set(["h264", "h265", "mpeg4", "aac", "mp3", "ac3", "eac3"]);

/** Has VLC write what it reads into a transport stream: all pictures, and the sound where it belongs. */
async function takeOut(home: string, task: Task): Promise<string[]> {
  const { codecs, pictures, soundAfterPictureSeconds } = task.original;
  if (!codecs.every((codec) => carried.has(codec))) return [];
  const path = join(home, "taken.ts");
  const complaints = judge(
    await runVlc(home, ["--no-sout-spu", "--sout", `#std{access=file,mux=ts,dst=${path}}`], task),
    task,
  );
  const taken = await factsOf(path);
  if (taken.pictures < pictures - keptBack) complaints.push(`took out ${taken.pictures} pictures of ${pictures}`);
  if (soundAfterPictureSeconds === null) return complaints;
  const off = (taken.soundAfterPictureSeconds ?? Number.NaN) - soundAfterPictureSeconds;
  return Math.abs(off) <= syncToleranceSeconds ? complaints : [...complaints, `the sound is ${off} s late`];
}
