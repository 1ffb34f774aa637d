/** Where tus uploads are made; each is below it. */
export const TUS_PATH = "/api/uploads";
