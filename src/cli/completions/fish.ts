/** Completion for fish. @module */
import type { ArgumentWord, CompletionWords, Described } from "./words.ts";

/** A script to be sourced. */
export function fishScript({
  standalone,
  verbs,
  options,
  modules,
  operations,
  facts,
  arguments: all,
  globals,
}: CompletionWords): string {
  const lines = (words: readonly Described[]): string =>
    words.map(({ name, description }) => `    '${name}'\\t'${description}'`).join(" \\\n");
  const printing = (name: string, words: readonly Described[]): string =>
    `function __tsinfra_${name}\n  printf '%s\\n' \\\n${lines(words)}\nend`;
  const valued = options.filter(({ takes }) => takes !== "nothing").map(({ name }) => name);
  return `# Completion of tsinfra for fish. In ~/.config/fish/config.fish: tsinfra completions fish | source

${printing("standalone", standalone)}
${printing("verbs", verbs)}
${printing("options", options)}
${printing("modules", modules)}
${printing("operations", operations)}
${printing("facts", facts)}

# Arguments of an operation or a fact, one a line, with the values that can be listed.
function __tsinfra_arguments
  switch $argv[1]
${[...all]
  .filter(([, words]) => words.length > 0)
  .map(([name, words]) => `    case ${name}\n      printf '%s\\n' ${list(words)}`)
  .join("\n")}
  end
end
function __tsinfra_globals
  printf '%s\\n' ${list(globals)}
end

# KEY=VALUE of an operation or a fact.
function __tsinfra_pair
  set -l current (commandline -ct)
  if string match -q '*=*' -- $current
    set -l key (string split -m 1 = -- $current)[1]
    for line in (__tsinfra_arguments $argv[1]; __tsinfra_globals)
      if string match -q "$key=*" -- $line
        for value in (string split '|' -- (string split -m 1 = -- $line)[2])
          echo $key=$value
        end
        return
      end
    end
    return
  end
  __tsinfra_arguments $argv[1] | string replace -r '=.*|$' '='
  string match -q '_*' -- $current; and __tsinfra_globals | string replace -r '=.*|$' '='
end

function __tsinfra_complete
  set -l current (commandline -ct)
  set -l tokens (commandline -opc)
  set -l valued ${valued.join(" ")}
  set -l pos
  set -l skip ''
  for word in $tokens[2..-1]
    if test -n "$skip"
      set skip ''
      continue
    end
    switch $word
      case --
        __fish_complete_path $current
        return
      case '--*=*'
      case '-*'
        contains -- $word $valued; and set skip $word
      case '*'
        set -a pos $word
    end
  end
  if test -n "$skip"
    __fish_complete_path $current
    return
  end
  if string match -q -- '-*' $current
    __tsinfra_options
    return
  end
  set -l verb ''
  switch "$pos[1]"
    case ''
      __tsinfra_standalone
      __tsinfra_verbs
      __fish_complete_path $current
      return
    case docs
      __tsinfra_modules
      __tsinfra_operations
      __tsinfra_facts
      return
    case completions
      printf '%s\\n' bash zsh fish
      return
    case ${standalone
      .map(({ name }) => name)
      .filter(name => name !== "docs" && name !== "completions")
      .join(" ")}
      __fish_complete_path $current
      return
    case ${verbs.map(({ name }) => name).join(" ")}
      set verb $pos[1]
    case '*'
      set verb "$pos[2]"
  end
  switch "$verb"
    case ''
      __tsinfra_verbs
      __tsinfra_operations
      __fish_complete_path $current
    case fact
      set -l name ''
      for word in $pos[2..-1]
        string match -q '*.*' -- $word; and not string match -q '*=*' -- $word; and set name $word
      end
      test -n "$name"; and __tsinfra_pair $name
      string match -q '*=*' -- $current; or __tsinfra_facts
    case exec debug-inventory '*.ts' '*.js'
      __fish_complete_path $current
    case '*'
      __tsinfra_pair $verb
  end
end

complete -c tsinfra -f -a '(__tsinfra_complete)'
`;
}

const list = (words: readonly ArgumentWord[]): string =>
  words.map(({ name, values }) => (values.length > 0 ? `'${name}=${values.join("|")}'` : name)).join(" ");
