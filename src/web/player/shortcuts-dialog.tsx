import { Dialog } from "../components/dialog.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { prefer, preferences } from "./preferences.ts";

/** The keys of the player, and the switch for those of a single character. */
export function ShortcutsDialog({ inCollection, onClose }: { inCollection: boolean; onClose(): void }) {
  const rows: readonly (readonly [readonly string[], string])[] = [
    [[t("key.space"), "K"], t("key.play")],
    [["←", "→"], t("key.seek-small")],
    [["J", "L"], t("key.seek-large")],
    [["0", "–", "9"], t("key.jump")],
    [["↑", "↓"], t("key.volume")],
    [["M"], t("key.mute")],
    [["<", ">"], t("key.speed")],
    [[",", "."], t("key.frame")],
    [[t("key.page-up"), t("key.page-down")], t("key.chapter")],
    [["F"], t("key.fullscreen")],
    [["C"], t("key.captions")],
    [["P"], t("key.pip")],
    ...(inCollection ? [[[t("key.shift-n"), t("key.shift-p")], t("key.next")] as const] : []),
    [["?"], t("key.help")],
  ];
  return (
    <Dialog heading={t("key.heading")} class="shortcuts" onClose={onClose}>
      <dl class="keys">
        {rows.map(([keys, text]) => (
          <div key={text}>
            <dt>{keys.map((key) => (key === "–" ? key : <kbd key={key}>{key}</kbd>))}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={preferences.value.characterKeys}
          onChange={(event) => prefer({ characterKeys: event.currentTarget.checked })}
        />
        <span>
          {t("key.characters")} <small>{t("key.characters-hint")}</small>
        </span>
      </label>
    </Dialog>
  );
}
