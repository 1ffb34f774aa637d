import { define } from "../../i18n/define.ts";

/** Collections: the list, one of them, and adding to them. */
export const collections = define({
  "collections.new": "New collection",
  "collections.new-name": "New collection",
  "collections.create": "Create and add",
  "collections.mine": "My collections",
  "collections.none": "No collections yet",
  "collections.none-why":
    "A collection is a row of videos in your order: a series, a course, an evening. Make one, or select videos in the library and add them.",
  "collections.rename": "Rename",
  "collections.delete": "Delete collection",
  "collections.deleted": "“{name}” is deleted. Its videos are still there.",
  "collections.play-all": "Play all",
  "collections.empty": "Nothing in it yet",
  "collections.empty-why": "Press Add videos and choose them in the library.",
  "collections.empty-now": "Whoever made it has not put videos in yet, or none that you may see.",
  "collections.add-videos": "Add videos",
  "collections.not-here": "This collection cannot be shown",
  "collections.no-such": "There is no such collection, or it is not shared with you.",
  "collections.add-heading": "Add to collection",
  "collections.added": { one: "Added to “{name}”.", other: "{count} videos added to “{name}”." },
  "collections.move": "Move {name}, now {place}",
  "collections.move-hint": "Drag the row, or press the up and down arrows",
  "collections.moved": "{name} is now {place} of {of}",
  "collections.take": "Take {name} out",
  "collections.taken": "“{name}” is out of the collection.",
});
