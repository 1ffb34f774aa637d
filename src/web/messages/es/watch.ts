export const watch = {
  "watch.copy-link": "Copiar enlace",
  "watch.link-copied": "Enlace copiado. Quien lo tenga puede verlo.",
  "watch.link-is": "El enlace es {address}",
  "watch.download": "Descargar",
  "watch.no-sound": "Puede que no haya sonido: este navegador no descodifica audio {codec}. El original lo tiene.",
  "watch.undecodable": "Este navegador no puede descodificar vídeo {codec}",
  "watch.undecodable-why":
    "El original está intacto. Otro navegador o dispositivo puede tener el descodificador, y reproductores como VLC lo tienen: descárgalo y ábrelo allí.",
  "watch.download-original": "Descargar el original",
  "watch.try-anyway": "Probar de todos modos",
  "watch.receiving": "Este vídeo se está subiendo. Vuelve a cargar la página cuando esté.",
  "watch.unavailable": "El disco o el servidor que tiene este vídeo no está. Volverá con él.",
  "watch.failed": "El archivo está dañado o no es un vídeo. Elimínalo y súbelo otra vez.",
  "watch.not-here": "Este vídeo no se puede mostrar",
  "watch.no-such": "Este vídeo no existe o no se comparte contigo.",

  "fact.from": "De",
  "fact.added": "Añadido",
  "fact.seen-by": "Lo ven",
  "fact.length": "Duración",
  "fact.size": "Tamaño",
  "fact.picture": "Imagen",
  "fact.sound": "Sonido",
  "fact.none": "Ninguno",
  "fact.all-members": "Todos los miembros",
  "fact.everybody": "Todo el mundo",

  "edit.form": "Editar",
  "edit.name": "Nombre",
  "edit.description": "Descripción",
  "edit.tags": "Etiquetas",
  "edit.commas": "Separadas por comas",
  "edit.who": "Quién puede verlo",
  "edit.private-hint": "y los administradores",
  "edit.members-hint": "todo el que inicia sesión",
  "edit.public-hint": "todo el que tenga el enlace",
  "edit.delete": "Eliminar vídeo",

  "player.label": "Reproductor: {name}",
  "player.resumed": "Sigue en {time}",
  "player.start-again": "Desde el principio",
  "player.sound-only":
    "Solo se oye el sonido: este navegador no puede descodificar vídeo {codec}. El original está intacto; otros reproductores quizá puedan.",
  "player.lost": "Se perdió la conexión mientras se cargaba el vídeo.",
  "player.decode":
    "Este navegador no pudo descodificar el vídeo (códecs: {codecs}). El original está intacto; otros reproductores quizá puedan.",
  "player.cannot":
    "Este navegador no puede reproducir este vídeo (códecs: {codecs}). El original está intacto; otros reproductores quizá puedan.",
  "player.unknown": "desconocidos",

  "title.deleted": "Se ha eliminado «{name}».",
  "title.back": "«{name}» ha vuelto.",
};
