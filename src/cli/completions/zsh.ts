/** Completion for zsh. @module */
import type { ArgumentWord, CompletionWords, Described } from "./words.ts";

/** A script to be sourced, or put into a directory of `$fpath` as `_tsinfra`. */
export function zshScript({
  standalone,
  verbs,
  options,
  modules,
  operations,
  facts,
  arguments: all,
  globals,
}: CompletionWords): string {
  const array = (words: readonly Described[]): string =>
    `(\n${words.map(({ name, description }) => `  '${name}:${description}'`).join("\n")}\n)`;
  const valued = options.filter(({ takes }) => takes !== "nothing").map(({ name }) => name);
  return `#compdef tsinfra
# Completion of tsinfra for zsh. In ~/.zshrc, after compinit: eval "$(tsinfra completions zsh)"

typeset -ga _tsinfra_standalone _tsinfra_verbs _tsinfra_options _tsinfra_modules _tsinfra_operations _tsinfra_facts _tsinfra_globals
_tsinfra_standalone=${array(standalone)}
_tsinfra_verbs=${array(verbs)}
_tsinfra_options=${array(options)}
_tsinfra_modules=${array(modules)}
_tsinfra_operations=${array(operations)}
_tsinfra_facts=${array(facts)}
_tsinfra_globals=(${list(globals)})

# Arguments of an operation or a fact into $reply, with the values that can be listed.
_tsinfra_arguments() {
  reply=()
  case $1 in
${[...all]
  .filter(([, words]) => words.length > 0)
  .map(([name, words]) => `    ${name}) reply=(${list(words)}) ;;`)
  .join("\n")}
  esac
}

# Complete the current word as KEY=VALUE of $1.
_tsinfra_pair() {
  local -a reply
  local word
  _tsinfra_arguments $1
  if [[ $words[CURRENT] == *=* ]]; then
    for word in $reply $_tsinfra_globals; do
      if [[ $word == \${words[CURRENT]%%=*}=* ]]; then
        compset -P '*='
        compadd -- \${(s:|:)\${word#*=}}
        return
      fi
    done
    compset -P '*='
    _files
    return
  fi
  compadd -S '' -- \${\${reply%%=*}/%/=}
  [[ $words[CURRENT] == _* ]] && compadd -S '' -- \${\${_tsinfra_globals%%=*}/%/=}
}

_tsinfra() {
  local word skip='' rest='' verb name=''
  local -a pos valued
  valued=(${valued.join(" ")})
  for word in \${words[2,CURRENT-1]}; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      --) rest=1 ;;
      --*=*) ;;
      -*) (( \${valued[(Ie)$word]} )) && skip=$word ;;
      *) pos+=($word) ;;
    esac
  done
  if [[ -n $rest || -n $skip ]]; then _files; return; fi
  if [[ $words[CURRENT] == -* ]]; then _describe option _tsinfra_options; return; fi

  case \${pos[1]} in
    '') _describe command _tsinfra_standalone -- _tsinfra_verbs; _files; return ;;
    docs) _describe module _tsinfra_modules; _describe operation _tsinfra_operations; _describe fact _tsinfra_facts; return ;;
    completions) compadd bash zsh fish; return ;;
    ${standalone
      .map(({ name }) => name)
      .filter(name => name !== "docs" && name !== "completions")
      .join("|")}) _files; return ;;
    ${verbs.map(({ name }) => name).join("|")}) verb=\${pos[1]} ;;
    *) verb=\${pos[2]} ;;
  esac
  case $verb in
    '') _describe command _tsinfra_verbs; _describe operation _tsinfra_operations; _files -g '*.[tj]s' ;;
    fact)
      for word in \${pos[2,-1]}; do [[ $word == *.* && $word != *=* ]] && name=$word; done
      [[ -n $name ]] && _tsinfra_pair $name
      [[ $words[CURRENT] != *=* ]] && _describe fact _tsinfra_facts
      ;;
    exec|debug-inventory|*.[tj]s) _files ;;
    *) _tsinfra_pair $verb ;;
  esac
}

if [[ $funcstack[1] == _tsinfra ]]; then _tsinfra "$@"; else compdef _tsinfra tsinfra; fi
`;
}

const list = (words: readonly ArgumentWord[]): string =>
  words.map(({ name, values }) => (values.length > 0 ? `'${name}=${values.join("|")}'` : `'${name}'`)).join(" ");
