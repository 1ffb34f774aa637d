export const edit = {
  "edit.form": "Editar",
  "edit.name": "Nombre",
  "edit.description": "Descripción",
  "edit.tags": "Etiquetas",
  "edit.commas": "Separadas por comas",
  "tags.too-long": "Una etiqueta tiene como mucho {most} caracteres: «{tag}…» tiene {count}.",
  "tags.too-many": "Un vídeo tiene como mucho {most} etiquetas: estas son {count}.",
  "edit.who": "Quién puede verlo",
  "edit.private-hint": "solo su dueño y los administradores",
  "edit.members-hint": "todo el que inicia sesión",
  "edit.public-hint": "todo el que tenga su dirección, sin cuenta",
  "edit.delete": "Eliminar vídeo",
  "edit.changed-meanwhile":
    "Otra persona cambió esto mientras lo editabas. Lo tuyo no se ha perdido y aún no se ha guardado nada: compara y guarda otra vez.",
  "edit.theirs": "{field}, como se guardó",
  "edit.take-theirs": "Tomar lo guardado",
  "edit.take-mine": "Volver a lo mío",
};
