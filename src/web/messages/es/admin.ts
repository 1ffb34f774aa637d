export const admin = {
  "admin.heading": "Administración",
};
