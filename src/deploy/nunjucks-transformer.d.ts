/** The part of nunjucks between parser and compiler, which it does not publish types for. */
declare module "nunjucks/src/transformer.js" {
  export function transform<Node>(tree: Node, asyncFilters: readonly string[], name: string): Node;
}
