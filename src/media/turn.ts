/** Lets the rest of the process have its turn; reads that are done at once do not. */
export const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
