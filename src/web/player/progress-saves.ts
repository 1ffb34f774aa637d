let lastSave: Promise<unknown> = Promise.resolve();

/** Notes a position that is on its way to the server; `save` never rejects. */
export function saving(save: Promise<unknown>): void {
  lastSave = save;
}

/** Resolves when no position is on its way to the server any more: what is read then knows of it. */
export const savesSettled = (): Promise<unknown> => lastSave;
