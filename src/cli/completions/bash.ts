/** Completion for bash: of version 3.2, which macOS has, and of all since. @module */
import type { ArgumentWord, CompletionWords, Described } from "./words.ts";

/** A script to be sourced. */
export function bashScript({
  standalone,
  verbs,
  options,
  modules,
  operations,
  facts,
  arguments: all,
  globals,
}: CompletionWords): string {
  const names = (words: readonly Described[]): string => words.map(({ name }) => name).join("\n");
  const taking = (what: string): string =>
    ` ${options
      .filter(({ takes }) => takes === what)
      .map(({ name }) => name)
      .join(" ")} `;
  return `# Completion of tsinfra for bash. In ~/.bashrc: eval "$(tsinfra completions bash)"

_tsinfra_standalone='${names(standalone)}'
_tsinfra_verbs='${names(verbs)}'
_tsinfra_options='${names(options)}'
_tsinfra_modules='${names(modules)}'
_tsinfra_operations='${names(operations)}'
_tsinfra_facts='${names(facts)}'

# Arguments of an operation or a fact, one a line, with the values that can be listed.
_tsinfra_arguments() {
  case $1 in
${[...all]
  .filter(([, words]) => words.length > 0)
  .map(([name, words]) => `    ${name}) printf '%s\\n' ${list(words)} ;;`)
  .join("\n")}
  esac
}
_tsinfra_globals() {
  printf '%s\\n' ${list(globals)}
}

# Complete $cur as KEY=VALUE of $1.
_tsinfra_pair() {
  local line
  if [[ $cur == *=* ]]; then
    while read -r line; do
      [[ $line == "\${cur%%=*}="* ]] && COMPREPLY+=($(compgen -W "$(printf '%s' "\${line#*=}" | tr '|' '\\n')" -- "\${cur#*=}"))
    done < <(_tsinfra_arguments "$1"; _tsinfra_globals)
    return
  fi
  COMPREPLY+=($(compgen -W "$(_tsinfra_arguments "$1" | sed 's/=.*//; s/$/=/')" -- "$cur"))
  [[ $cur == _* ]] && COMPREPLY+=($(compgen -W "$(_tsinfra_globals | sed 's/=.*//; s/$/=/')" -- "$cur"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] && compopt -o nospace 2>/dev/null
}

_tsinfra_files() {
  COMPREPLY+=($(compgen -f -X '!*.[mc][tj]s' -- "$cur") $(compgen -f -X '!*.[tj]s' -- "$cur") $(compgen -d -S / -- "$cur"))
}

_tsinfra() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} word skip='' rest='' verb='' name='' i n=0
  local words=() pos=()
  COMPREPLY=()
  # Bash splits words at = and :, which belong to them here.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $n -gt 0 && ( $word == [=:]* || \${COMP_WORDS[i-1]} == [=:] ) ]] && ! [[ $i -eq $COMP_CWORD && -z $word && \${COMP_LINE:$((COMP_POINT - 1)):1} == ' ' ]]; then
      words[n-1]+=$word
    else
      words[n++]=$word
    fi
  done
  cur=\${words[n-1]}
  unset 'words[n-1]'

  for word in "\${words[@]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      --) rest=1 ;;
      --*=*) ;;
      -*) case '${taking("text")}${taking("file")}' in *" $word "*) skip=$word ;; esac ;;
      *) pos[\${#pos[@]}]=$word ;;
    esac
  done
  # Where nothing is found, files are completed.
  [[ -n $rest ]] && return
  if [[ -n $skip ]]; then return; fi
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$_tsinfra_options" -- "$cur")); return; fi

  case \${pos[0]-} in
    '') COMPREPLY=($(compgen -W "$_tsinfra_standalone"$'\\n'"$_tsinfra_verbs" -- "$cur")); _tsinfra_files; return ;;
    docs) COMPREPLY=($(compgen -W "$_tsinfra_modules"$'\\n'"$_tsinfra_operations"$'\\n'"$_tsinfra_facts" -- "$cur")); return ;;
    completions) COMPREPLY=($(compgen -W $'bash\\nzsh\\nfish' -- "$cur")); return ;;
    ${standalone
      .map(({ name }) => name)
      .filter(name => name !== "docs" && name !== "completions")
      .join("|")}) _tsinfra_files; return ;;
    ${verbs.map(({ name }) => name).join("|")}) verb=\${pos[0]} name=\${pos[1]-} ;;
    *) verb=\${pos[1]-} name=\${pos[2]-} ;;
  esac
  case $verb in
    '') COMPREPLY=($(compgen -W "$_tsinfra_verbs"$'\\n'"$_tsinfra_operations" -- "$cur")); _tsinfra_files ;;
    fact)
      # The last word that is a fact; its arguments follow it.
      for word in "\${pos[@]}"; do [[ $word == *.* && $word != *=* && $word != "\${pos[0]}" ]] && name=$word; done
      [[ -n $name ]] && _tsinfra_pair "$name"
      [[ $cur != *=* ]] && COMPREPLY+=($(compgen -W "$_tsinfra_facts" -- "$cur"))
      ;;
    exec|debug-inventory) ;;
    *.[tj]s|*.[mc][tj]s) _tsinfra_files ;;
    *) _tsinfra_pair "$verb" ;;
  esac
}

complete -o default -F _tsinfra tsinfra
`;
}

const list = (words: readonly ArgumentWord[]): string =>
  words.map(({ name, values }) => (values.length > 0 ? `'${name}=${values.join("|")}'` : name)).join(" ");
