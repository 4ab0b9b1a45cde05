/** What each shell runs to complete a command line; each asks the program itself, so that names are live. */
export const SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    'bash',
    `# bash: source <(rollcall completion bash)
_rollcall() {
  local IFS=$'\\n' last
  COMPREPLY=($(rollcall __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  last="\${COMPREPLY[*]: -1}"
  if [ "$last" = ':files' ]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
    compopt -o filenames 2>/dev/null
  fi
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
