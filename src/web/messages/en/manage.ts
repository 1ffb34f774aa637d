import { define } from "../../i18n/define.ts";

/** What opens beside the lists: filters, folders, and what is done with many videos at once. */
export const manage = define({
  "manage.length": "Length",
  "manage.picture": "Picture",
  "manage.codec": "Codec",
  "manage.mine": "My viewing",
  "manage.availability": "Availability",
  "manage.owner": "Owner",
  "manage.tag": "Tag",
  "manage.clear": "Clear all",
  "manage.folders": "Folders",
  "manage.all-folders": "Library",

  "manage.selected": { one: "{count} selected", other: "{count} selected" },
  "manage.bar": "With the selected videos",
  "manage.select-all": "Select all shown",
  "manage.tag-them": "Tag",
  "manage.share": "Who may see it",
  "manage.to-collection": "Add to collection",
  "manage.add-tags": "Add these tags",
  "manage.remove-tags": "Take these away",
  "manage.commas": "Separated by commas",
  "manage.apply": "Apply",
  "manage.tag-heading": { one: "Tag {count} video", other: "Tag {count} videos" },
  "manage.changed": { one: "{count} video changed.", other: "{count} videos changed." },
  "manage.deleted": { one: "{count} video deleted.", other: "{count} videos deleted." },
  "manage.restored": { one: "{count} video is back.", other: "{count} videos are back." },
  "manage.refused": { one: "{count} video could not be changed: {reason}", other: "{count} videos could not be changed: {reason}" },
});
