export const edit = {
  "edit.form": "Editar",
  "edit.name": "Nombre",
  "edit.description": "Descripción",
  "edit.tags": "Etiquetas",
  "edit.commas": "Separadas por comas",
  "edit.who": "Quién puede verlo",
  "edit.private-hint": "solo su dueño y los administradores",
  "edit.members-hint": "todo el que inicia sesión",
  "edit.public-hint": "todo el que tenga el enlace",
  "edit.delete": "Eliminar vídeo",
};
