export const errors = {
  "refused.conflict": "Otra persona cambió esto en el mismo momento. Vuelve a cargar la página.",
  "refused.disk-full": "El disco del servidor está lleno.",
  "refused.forbidden": "No puedes hacer esto.",
  "refused.internal": "Algo falló en el servidor. Vuelve a probar.",
  "refused.invalid-request": "El servidor no entendió esto.",
  "refused.not-found": "No hay nada en esta dirección.",
  "refused.quota-exceeded": "Tu espacio está lleno.",
  "refused.rate-limited": "Demasiados intentos. Vuelve a probar dentro de un momento.",
  "refused.temporary-unavailable": "Una parte del servidor no está. Vuelve a probar dentro de un momento.",
  "refused.too-large": "Es más grande de lo que acepta el servidor.",
  "refused.unauthorized": "No has iniciado sesión, o el nombre y la contraseña no coinciden.",
  "refused.wrong-media-id": "Este vídeo no existe o no se comparte contigo.",
};
