"""The completion script of each shell: asks this program, and offers what it answers."""

BASH = r"""# bash completion for nexaflow; load it with: source <(nexaflow completion bash)

_nexaflow() {
    local line value
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o default -o filenames 2>/dev/null
            return
        fi
        value=${line%%$'\t'*}
        [[ $value == */ ]] && compopt -o nospace 2>/dev/null
        [[ $value == *[![:alnum:]_./:@%+,=-]* ]] && printf -v value '%q' "$value"
        COMPREPLY+=("$value")
    done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _nexaflow nexaflow
"""

ZSH = r"""#compdef nexaflow
# zsh completion for nexaflow; put it into a folder of $fpath as _nexaflow

_nexaflow() {
    local line value
    local -a plain folders
    for line in "${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -z $line ]] && continue
        if [[ $line == :files ]]; then
            _files
            return
        fi
        value=${line%%$'\t'*}
        if [[ $value == */ ]]; then
            folders+=("$value")
        else
            plain+=("${value//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( $#folders )) && compadd -S '' -- "${folders[@]}"
    (( $#plain )) && _describe -V nexaflow plain
}

if [[ $funcstack[1] == _nexaflow ]]; then
    _nexaflow "$@"
else
    compdef _nexaflow nexaflow
fi
"""

FISH = r"""# fish completion for nexaflow; put it into ~/.config/fish/completions/nexaflow.fish

function __nexaflow_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo -- $line
        end
    end
end

complete -c nexaflow -f -a '(__nexaflow_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""Shell to script."""

FILE_NAMES = {"bash": "nexaflow.bash", "zsh": "_nexaflow", "fish": "nexaflow.fish"}
"""Shell to the name of the script's file in `completions/`."""
