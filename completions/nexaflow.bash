# bash completion for nexaflow; load it with: source <(nexaflow completion bash)

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
