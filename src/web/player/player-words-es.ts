import "media-chrome/lang/es.js";
