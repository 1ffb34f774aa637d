import { ConflictError, InvalidRequestError, ProblemError } from "../errors.ts";
import { COLLECTION_TITLES_MAX, COLLECTIONS_MAX, TAGS_MAX } from "./contract.ts";

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

/** 412 `changed-meanwhile`: what `If-Match` names is not what there is now. */
export class ChangedMeanwhileError extends ProblemError {
  constructor() {
    super("changed-meanwhile", "Somebody else has changed this since you read it. Read it again, and decide anew.", {
      status: 412,
    });
  }
}

/** 400 `invalid-request`: a collection can have no more titles. */
export class CollectionFullError extends InvalidRequestError {
  constructor() {
    super(`A collection has at most ${COLLECTION_TITLES_MAX} titles.`, {
      fields: [{ field: "titleIds", expected: `at most ${COLLECTION_TITLES_MAX} titles in the collection` }],
    });
  }
}

/** 400 `invalid-request`: the title that others should come before is not in the collection, or one of them. */
export class TitleNotInCollectionError extends InvalidRequestError {
  constructor() {
    super("The title named in `before` is not in this collection, or is one of those to be placed.", {
      fields: [{ field: "before", expected: "another title of the collection" }],
    });
  }
}

/** 403 `quota-exceeded`: somebody has as many collections as they may. */
export class TooManyCollectionsError extends ProblemError {
  constructor() {
    super("quota-exceeded", `You have ${COLLECTIONS_MAX} collections, and nobody may have more. Delete some.`, {
      status: 403,
    });
  }
}
