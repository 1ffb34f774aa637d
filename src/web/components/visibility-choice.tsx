import type { Visibility } from "../../catalog/contract.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/edit.ts";

const choices: readonly Visibility[] = ["private", "members", "public"];

interface VisibilityChoiceProps {
  readonly chosen: Visibility;
  /** False where `private` is not theirs to choose. */
  readonly mayHide?: boolean | undefined;
  /** Called at once; without it the choice is a field `visibility` of the form around it. */
  onChoose?(visibility: Visibility): void;
}

/** Who may see a video or a collection. */
export function VisibilityChoice({ chosen, mayHide = true, onChoose }: VisibilityChoiceProps) {
  const offered = choices.filter((value) => mayHide || value !== "private" || value === chosen);
  return (
    <fieldset class="visibility">
      <legend>{t("edit.who")}</legend>
      {offered.map((value) => (
        <label key={value} class="choice">
          <input
            type="radio"
            name="visibility"
            value={value}
            {...(onChoose
              ? { checked: chosen === value, onChange: () => onChoose(value) }
              : { defaultChecked: chosen === value })}
          />
          <span>
            {t(`title.${value}`)} <small>{t(`edit.${value}-hint`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
