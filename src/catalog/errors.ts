import { ConflictError, InvalidRequestError } from "../errors.ts";
import { TAGS_MAX } from "./contract.ts";

/** 400 `invalid-request`: the cursor is none of ours, or was given for another search. */
export class InvalidCursorError extends InvalidRequestError {
  constructor() {
    super("The cursor is not valid for this search. Take it from nextCursor of the page before, unchanged.", {
      fields: [{ field: "cursor", expected: "nextCursor of the same search" }],
    });
  }
}

/** 400 `invalid-request`: a title can have no more tags. */
export class TooManyTagsError extends InvalidRequestError {
  constructor(count: number) {
    super(`A title has at most ${TAGS_MAX} tags; this would make ${count}.`, {
      fields: [{ field: "tags", expected: `at most ${TAGS_MAX} tags` }],
    });
  }
}

/** 400 `invalid-request`: nothing is left of the name or tag without white space and control characters. */
export class EmptyTextError extends InvalidRequestError {
  constructor(field: string) {
    super(`The ${field} is empty: expected at least one visible character.`, {
      fields: [{ field, expected: "at least one visible character" }],
    });
  }
}

/** 409 `conflict`: a title with this id was deleted, and an id is never used again. */
export class TitleIdUsedError extends ConflictError {
  constructor() {
    super("A title with this id was deleted: its id cannot be used again.");
  }
}
