/** Kinora's mark: a K whose arms are a play sign. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" class="mark" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <path d="M8 8h4v16H8zm5 8 7.5-8H25l-7.5 8 7.5 8h-4.5z" class="mark-sign" />
    </svg>
  );
}

export function PlayIcon() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false" class="icon">
      <path d="M7 4.5v15l13-7.5z" />
    </svg>
  );
}

export function SearchIcon() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false" class="icon line">
      <circle cx="10.5" cy="10.5" r="6.5" />
      <path d="m15.5 15.5 5 5" />
    </svg>
  );
}

export function UploadIcon() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false" class="icon line">
      <path d="M12 16V4m-5 5 5-5 5 5M4 20h16" />
    </svg>
  );
}
