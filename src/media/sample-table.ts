/** Whole numbers in the narrowest array that holds them; one element stands for "the same for all samples". */
export type Column = Uint8Array | Uint16Array | Uint32Array | Int16Array | Int32Array | Float64Array;

const checkpointInterval = 32;

/** The columns of a sample table, as built by a reader and as stored in an index file. */
export interface SampleColumns {
  readonly count: number;
  /** Bytes of each sample. */
  readonly sizes: Column;
  /** Ticks between a sample's decode time and the next one's. */
  readonly durations: Column;
  /** Presentation minus decode time, in ticks. */
  readonly compositionOffsets: Column;
  /** Sync samples in ascending order; null when all are. */
  readonly syncSamples: Uint32Array | null;
  /** Where each chunk starts in the original: the lower 32 bits, and how many times 2^32 more. */
  readonly chunkOffsets: Column;
  readonly chunkOffsetsHigh: Column;
  /** How many samples each chunk has. */
  readonly chunkLengths: Column;
  /** 1-based `sample_description_index` of each chunk. */
  readonly chunkEntries: Column;
}

/** A track's samples, numbered from 0 in decode order, in about 4 (audio) to 12 (video) bytes each. */
export class SampleTable {
  readonly columns: SampleColumns;
  /** Decode time of every `checkpointInterval`th sample. */
  readonly #checkpoints: Float64Array;
  /** First sample of every `checkpointInterval`th chunk. */
  readonly #chunkCheckpoints: Uint32Array;
  readonly #totalDuration: number;

  constructor(columns: SampleColumns) {
    this.columns = columns;
    this.#chunkCheckpoints = chunkCheckpoints(columns.chunkLengths);
    const { count, durations } = columns;
    const isSteady = durations.length === 1;
    const checkpoints = new Float64Array(isSteady ? 0 : Math.ceil(count / checkpointInterval) + 1);
    let time = isSteady ? count * valueAt(durations, 0) : 0;
    for (let from = 0; from < count && !isSteady; from += checkpointInterval) {
      checkpoints[from / checkpointInterval] = time;
      const to = Math.min(count, from + checkpointInterval);
      for (let i = from; i < to; i++) time += durations[i] ?? 0;
    }
    this.#checkpoints = checkpoints;
    this.#totalDuration = time;
  }

  get count(): number {
    return this.columns.count;
  }

  /** Sum of all durations in ticks. */
  get totalDuration(): number {
    return this.#totalDuration;
  }

  sizeOf(sample: number): number {
    return valueAt(this.columns.sizes, sample);
  }

  durationOf(sample: number): number {
    return valueAt(this.columns.durations, sample);
  }

  compositionOffsetOf(sample: number): number {
    return valueAt(this.columns.compositionOffsets, sample);
  }

  /** Decode time in ticks; `sample` may be `count`, for the end. */
  decodeTimeOf(sample: number): number {
    const { durations, count } = this.columns;
    if (durations.length === 1) return sample * valueAt(durations, 0);
    if (sample >= count) return this.#totalDuration;
    const checkpoint = Math.floor(sample / checkpointInterval);
    let time = this.#checkpoints[checkpoint] ?? 0;
    for (let i = checkpoint * checkpointInterval; i < sample; i++) time += durations[i] ?? 0;
    return time;
  }

  /** Composition (presentation) time in ticks, before edits. */
  compositionTimeOf(sample: number): number {
    return this.decodeTimeOf(sample) + this.compositionOffsetOf(sample);
  }

  isSync(sample: number): boolean {
    const { syncSamples } = this.columns;
    if (syncSamples === null) return true;
    return syncSamples[lowerBound(syncSamples, sample)] === sample;
  }

  /** The sync samples from `from` up to `to`; only for tables that list them. */
  syncSamplesBetween(from: number, to: number): Uint32Array {
    const syncSamples = this.columns.syncSamples ?? new Uint32Array(0);
    return syncSamples.subarray(lowerBound(syncSamples, from), lowerBound(syncSamples, to));
  }

  /** The last sample whose decode time is at most `ticks`; 0 when there is none. */
  sampleAtDecodeTime(ticks: number): number {
    const { durations, count } = this.columns;
    if (count === 0) return 0;
    if (durations.length === 1) {
      const duration = valueAt(durations, 0);
      return duration === 0 ? 0 : Math.max(0, Math.min(count - 1, Math.floor(ticks / duration)));
    }
    let low = 0;
    let high = Math.ceil(count / checkpointInterval) - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#checkpoints[middle] ?? 0) <= ticks) low = middle;
      else high = middle - 1;
    }
    let sample = low * checkpointInterval;
    let next = (this.#checkpoints[low] ?? 0) + (durations[sample] ?? 0);
    while (sample + 1 < count && next <= ticks) {
      sample++;
      next += durations[sample] ?? 0;
    }
    return sample;
  }

  /** The chunk that holds the sample. */
  chunkOf(sample: number): number {
    const { chunkLengths } = this.columns;
    if (chunkLengths.length === 1) return Math.floor(sample / (valueAt(chunkLengths, 0) || Number.POSITIVE_INFINITY));
    const next = lowerBound(this.#chunkCheckpoints, sample + 1);
    let chunk = Math.max(0, next - 1) * checkpointInterval;
    let end = (this.#chunkCheckpoints[Math.max(0, next - 1)] ?? 0) + (chunkLengths[chunk] ?? 0);
    while (end <= sample && chunk + 1 < chunkLengths.length) end += chunkLengths[++chunk] ?? 0;
    return chunk;
  }

  /** The first sample of a chunk. */
  chunkStart(chunk: number): number {
    const { chunkLengths } = this.columns;
    if (chunkLengths.length === 1) return chunk * valueAt(chunkLengths, 0);
    const checkpoint = Math.floor(chunk / checkpointInterval);
    let start = this.#chunkCheckpoints[checkpoint] ?? 0;
    for (let i = checkpoint * checkpointInterval; i < chunk; i++) start += chunkLengths[i] ?? 0;
    return start;
  }

  /** Where a chunk starts in the original. */
  chunkOffset(chunk: number): number {
    const { chunkOffsets, chunkOffsetsHigh } = this.columns;
    return valueAt(chunkOffsets, chunk) + valueAt(chunkOffsetsHigh, chunk) * 2 ** 32;
  }

  /** Where the sample's bytes start in the original. */
  offsetOf(sample: number): number {
    const chunk = this.chunkOf(sample);
    let offset = this.chunkOffset(chunk);
    for (let i = this.chunkStart(chunk); i < sample; i++) offset += this.sizeOf(i);
    return offset;
  }
}

function chunkCheckpoints(lengths: Column): Uint32Array {
  if (lengths.length === 1) return new Uint32Array(0);
  const found = new Uint32Array(Math.ceil(lengths.length / checkpointInterval));
  let start = 0;
  for (let from = 0; from < lengths.length; from += checkpointInterval) {
    found[from / checkpointInterval] = start;
    const to = Math.min(lengths.length, from + checkpointInterval);
    for (let chunk = from; chunk < to; chunk++) start += lengths[chunk] ?? 0;
  }
  return found;
}

/** The value for one sample, of a column or of a constant. */
export function valueAt(column: Column, index: number): number {
  return (column.length === 1 ? column[0] : column[index]) ?? 0;
}

/** First index whose value is at least `value`; `array.length` when there is none. */
export function lowerBound(array: Uint32Array, value: number): number {
  let low = 0;
  let high = array.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((array[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same values in the narrowest array; a single element when they are all equal. */
export function narrow(values: Uint32Array | Int32Array | Float64Array): Column {
  let min = values[0] ?? 0;
  let max = min;
  // By index: an iterator takes ten times as long before it is compiled.
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const column = columnFor(min, max, min === max ? Math.min(values.length, 1) : values.length);
  column.set(values.subarray(0, column.length));
  return column;
}

/** The narrowest array for whole numbers from `min` to `max`. */
export function columnFor(min: number, max: number, length: number): Column {
  if (min >= 0 && max < 0x100) return new Uint8Array(length);
  if (min >= 0 && max < 0x10000) return new Uint16Array(length);
  if (min >= 0 && max < 0x1_0000_0000) return new Uint32Array(length);
  if (min >= -0x8000 && max < 0x8000) return new Int16Array(length);
  if (min >= -0x8000_0000 && max < 0x8000_0000) return new Int32Array(length);
  return new Float64Array(length);
}
