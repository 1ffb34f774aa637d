import { signal } from "@preact/signals";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const STORED = "kinora-theme";

/** Light, dark, or as the system has it. */
export const theme = signal<Theme>("system");

/** Takes up the choice kept in this browser. */
export function startTheme(): void {
  show(themes.find((name) => name === localStorage.getItem(STORED)) ?? "system");
}

/** Switches the colours and keeps the choice in this browser. */
export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(STORED, chosen);
  show(chosen);
}

function show(chosen: Theme): void {
  theme.value = chosen;
  document.documentElement.dataset.theme = chosen;
}
