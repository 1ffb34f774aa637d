export const account = {
  "account.heading": "Cuenta",
  "account.signed-in-admin": "Sesión de <b>{name}</b>, que administra.",
  "account.signed-in-editor": "Sesión de <b>{name}</b>, que puede ver y subir.",
  "account.signed-in-viewer": "Sesión de <b>{name}</b>, que puede ver.",
  "account.change-password": "Cambiar contraseña",
  "account.current": "Contraseña actual",
  "account.new": "Contraseña nueva",
  "account.again": "Contraseña nueva, otra vez",
  "account.rule": "8 caracteres o más",
  "account.not-same": "Las dos contraseñas nuevas no son iguales.",
  "account.changed": "Contraseña cambiada. Se han cerrado las demás sesiones.",
};
