import { describe, expect, test } from "bun:test";
import type { Metadata } from "../media/metadata/metadata.ts";
import { describeFile, folderId, foldersOf } from "./library-names.ts";

const silent: Metadata = {
  title: null,
  artist: null,
  date: null,
  genre: null,
  description: null,
  chapters: [],
};

describe("a library file is called", () => {
  const names: [string, string, string[]][] = [
    ["holiday.mp4", "holiday", []],
    ["Trips/2019/lake_walk.mp4", "lake_walk", ["Trips", "2019"]],
    ["Heat (1995).mkv", "Heat (1995)", ["1995"]],
    ["Heat.(1995).1080p.BluRay.x264.mkv", "Heat (1995)", ["1995"]],
    ["Films/Mr. Nobody (2009) [Director's Cut].mp4", "Mr. Nobody (2009)", ["Films", "2009"]],
    ["The.Wire.S01E02.The.Detail.1080p.WEB-DL.mkv", "The Wire S01E02 The Detail", ["The Wire", "Season 1"]],
    ["Dark/Season 1/s1e3.mkv", "Dark S01E03", ["Dark", "Season 1", "Dark", "Season 1"]],
    ["Show - S02E10 - Finale.mp4", "Show S02E10 Finale", ["Show", "Season 2"]],
    ["1080p.mp4", "1080p", []],
    ["(2010).mp4", "(2010)", []],
  ];
  for (const [path, name, tags] of names) {
    test(`${name} for ${path}`, () => expect(describeFile(path)).toEqual({ name, tags, description: "" }));
  }

  test("what it says of itself, unless that is no title or the file's name says more", () => {
    expect(describeFile("a/x1.mp4", { ...silent, title: "A walk" }).name).toBe("A walk");
    expect(describeFile("x1.mp4", { ...silent, title: "www.films.example" }).name).toBe("x1");
    expect(describeFile("x1.mp4", { ...silent, title: "  " }).name).toBe("x1");
    expect(describeFile("Heat (1995).mp4", { ...silent, title: "Disc 1" }).name).toBe("Heat (1995)");
  });
});

test("artist, genre and year become tags, text and chapters the description", () => {
  const chapters = [
    { startSeconds: 0, name: "Opening" },
    { startSeconds: 3725.5, name: "End" },
  ];
  const metadata = {
    title: "T",
    artist: "Ann",
    date: "2011-05-01",
    genre: "Documentary",
    description: "About.",
    chapters,
  };
  expect(describeFile("x.mp4", metadata)).toEqual({
    name: "T",
    tags: ["Ann", "Documentary", "2011"],
    description: "About.\n\n0:00:00 Opening\n1:02:05 End",
  });
});

test("folders lead from the library folder to the file, with ids that stay", () => {
  expect(foldersOf("/srv/films", "a/b/x.mp4")).toEqual([
    { id: folderId("/srv/films", ""), name: "films" },
    { id: folderId("/srv/films", "a"), name: "a" },
    { id: folderId("/srv/films", "a/b"), name: "b" },
  ]);
  expect(folderId("/srv/films", "a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
