# fish completion for nexaflow; put it into ~/.config/fish/completions/nexaflow.fish

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
