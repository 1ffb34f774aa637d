import "media-chrome/media-controller";
import "media-chrome/media-control-bar";
import "media-chrome/media-play-button";
import "media-chrome/media-mute-button";
import "media-chrome/media-volume-range";
import "media-chrome/media-time-range";
import "media-chrome/media-pip-button";
import "media-chrome/media-fullscreen-button";
import "media-chrome/media-loading-indicator";
import "media-chrome/media-preview-chapter-display";
import "media-chrome/media-preview-time-display";
import "media-chrome/media-seek-backward-button";
import "media-chrome/media-seek-forward-button";
import "media-chrome/menu/media-captions-menu";
import "media-chrome/menu/media-captions-menu-button";
import "media-chrome/menu/media-chrome-menu-item";
import type MediaTimeRange from "media-chrome/media-time-range";
import type { HTMLAttributes } from "preact";

type PlayerPart = HTMLAttributes<HTMLElement>;

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "media-controller": PlayerPart & { nohotkeys?: boolean; "aria-label"?: string };
      "media-control-bar": PlayerPart;
      "media-play-button": PlayerPart;
      "media-mute-button": PlayerPart;
      "media-volume-range": PlayerPart;
      "media-time-range": HTMLAttributes<MediaTimeRange>;
      "media-captions-menu": PlayerPart & { anchor?: string };
      "media-captions-menu-button": PlayerPart;
      "media-pip-button": PlayerPart;
      "media-fullscreen-button": PlayerPart;
      "media-preview-chapter-display": PlayerPart;
      "media-preview-time-display": PlayerPart;
      "media-loading-indicator": PlayerPart & { noautohide?: boolean };
      "media-seek-backward-button": PlayerPart & { seekoffset?: number };
      "media-seek-forward-button": PlayerPart & { seekoffset?: number };
    }
  }
}
