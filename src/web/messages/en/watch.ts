import { define } from "../../i18n/define.ts";

/** The watch page, its player and its editor. */
export const watch = define({
  "watch.copy-link": "Copy link",
  "watch.link-copied": "Link copied. Whoever has it can watch.",
  "watch.link-is": "The link is {address}",
  "watch.download": "Download",
  "watch.no-sound": "There may be no sound: this browser does not decode {codec} audio. The original has it.",
  "watch.undecodable": "This browser cannot decode {codec} video",
  "watch.undecodable-why":
    "The original is untouched. Another browser or device may have the decoder, and players such as VLC do: download it and open it there.",
  "watch.download-original": "Download the original",
  "watch.try-anyway": "Try anyway",
  "watch.receiving": "This video is being uploaded. Load the page again when it is there.",
  "watch.unavailable": "The disk or server that has this video is away. It comes back with it.",
  "watch.failed": "The file is damaged or not a video. Delete it and upload it again.",
  "watch.not-here": "This video cannot be shown",
  "watch.no-such": "There is no such video, or it is not shared with you.",

  "fact.from": "From",
  "fact.added": "Added",
  "fact.seen-by": "Seen by",
  "fact.length": "Length",
  "fact.size": "Size",
  "fact.picture": "Picture",
  "fact.sound": "Sound",
  "fact.none": "None",
  "fact.all-members": "All members",
  "fact.everybody": "Everybody",

  "edit.form": "Edit",
  "edit.name": "Name",
  "edit.description": "Description",
  "edit.tags": "Tags",
  "edit.commas": "Separated by commas",
  "edit.who": "Who may see it",
  "edit.private-hint": "and admins",
  "edit.members-hint": "everybody who signs in",
  "edit.public-hint": "everybody with the link",
  "edit.delete": "Delete video",

  "player.label": "Player: {name}",
  "player.resumed": "Resumed at {time}",
  "player.start-again": "Start again",
  "player.sound-only":
    "Only the sound plays: this browser cannot decode {codec} video. The original is untouched; other players may play it.",
  "player.lost": "The connection was lost while the video was loading.",
  "player.decode":
    "This browser could not decode the video (codecs: {codecs}). The original is untouched; other players may play it.",
  "player.cannot":
    "This browser cannot play this video (codecs: {codecs}). The original is untouched; other players may play it.",
  "player.unknown": "unknown",

  "title.deleted": "“{name}” is deleted.",
  "title.back": "“{name}” is back.",
});
