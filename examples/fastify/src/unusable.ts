/** Something in the registry cannot be used; the message is one sentence for people. */
export class Unusable extends Error {
  override name = "Unusable";
}

export function damaged(name: string, why: string): Unusable {
  return new Unusable(`${name} is damaged: ${why}`);
}
