/** What each shell runs to complete a command line; each asks the program itself, so that names are live. */
export const SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    'bash',
    `# bash: source <(rollcall completion bash)
_rollcall() {
  # COMP_WORDS splits at = and : too.
  local line="\${COMP_LINE:0:COMP_POINT}" words word found keep
  read -ra words <<<"$line"
  case "$line" in *[[:space:]]) words+=('') ;; esac
  word="\${words[*]: -1}"
  local IFS=$'\\n'
  found=($(rollcall __complete "\${words[@]:1}" 2>/dev/null))
  if [ "\${found[*]: -1}" = ':files' ]; then
    COMPREPLY=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
    return
  fi
  # bash replaces what follows the last of these.
  case "$word" in *[=:]*) keep="\${word%"\${word##*[=:]}"}" ;; esac
  COMPREPLY=("\${found[@]#"$keep"}")
  case "\${COMPREPLY[*]}" in *[=/]) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _rollcall rollcall
`,
  ],
  [
    'zsh',
    `#compdef rollcall
# zsh: source <(rollcall completion zsh), after compinit
_rollcall() {
  local -a found
  found=("\${(@f)$(rollcall __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "$found[-1]" == ':files' ]]; then
    _files
  else
    compadd -- $found
  fi
}
compdef _rollcall rollcall
`,
  ],
  [
    'fish',
    `# fish: rollcall completion fish | source
function __rollcall_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (rollcall __complete $words[2..-1] 2>/dev/null)
  if test "$found[-1]" = ':files'
    __fish_complete_path (commandline -ct)
  else
    string join \\n -- $found
  end
end
complete -c rollcall -f -a '(__rollcall_complete)'
`,
  ],
]);
