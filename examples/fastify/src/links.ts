import type { Link } from "./settings.js";

/** One value for each label: of two labels, one value tells. */
export function forEachLabel(decision: readonly number[]): readonly number[] {
  return decision.length > 1 ? decision : [-decision[0]!, decision[0]!];
}

/** The number of the label: of the highest value, of equals the first. */
export function winner(decision: readonly number[]): number {
  const values = forEachLabel(decision);
  return values.reduce((best, value, label) => (value > values[best]! ? label : best), 0);
}

/** A score for each label. */
export function scores(decision: readonly number[], link: Link, scale: number): readonly number[] {
  switch (link) {
    case "softmax":
      return softmax(forEachLabel(decision).map((value) => scale * value));
    case "logistic":
      return shares(decision.map((value) => 1 / (1 + Math.exp(-value))));
    case "clip":
      return shares(decision.map((value) => (Math.min(1, Math.max(-1, value)) + 1) / 2));
    case "none":
      return forEachLabel(decision);
  }
}

function softmax(values: number[]): number[] {
  const highest = values.reduce((best, value) => Math.max(best, value));
  const powers = values.map((value) => Math.exp(value - highest));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

function shares(parts: number[]): number[] {
  if (parts.length === 1) return [1 - parts[0]!, parts[0]!];
  const total = sum(parts);
  return parts.map((part) => (total ? part / total : 1 / parts.length));
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
