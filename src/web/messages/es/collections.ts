export const collections = {
  "collections.heading": "Colecciones",
};
