// Models `kubectl completion`: a script of our own with kubectl's commands, resource types and names; zsh takes it as bash's.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { ROOT_GROUPS } from '../help-texts.ts';

export const completion: Command = { name: 'completion', run };

async function run(context: Context): Promise<void> {
  const [shell] = context.args;
  if (shell === undefined) throw context.usage('Shell not specified.');
  if (context.args.length > 1) throw context.usage('Too many arguments. Expected only the shell type.');
  if (shell !== 'bash' && shell !== 'zsh') throw context.usage(`Unsupported shell type "${shell}".`);
  const commands = ROOT_GROUPS.flatMap(([, names]) => names).sort();
  if (shell === 'zsh') await context.out(ZSH_HEAD);
  await context.out(SCRIPT.replace('@COMMANDS@', commands.join(' ')));
}

/** zsh runs functions made for bash's `complete` once its emulation is loaded. */
const ZSH_HEAD = '#compdef kubectl\nautoload -U +X bashcompinit && bashcompinit\n';

const SCRIPT = `# bash completion for kubectl                              -*- shell-script -*-

__kubectl_types()
{
    kubectl api-resources --cached -o name 2>/dev/null | cut -d. -f1
}

__start_kubectl()
{
    local cur command word index namespace
    cur="\${COMP_WORDS[COMP_CWORD]}"
    command=""
    namespace=""
    for (( index = 1; index < COMP_CWORD; index++ )); do
        word="\${COMP_WORDS[index]}"
        case "$word" in
            -n|--namespace) namespace="--namespace=\${COMP_WORDS[index+1]}" ;;
            -*) ;;
            *) if [ -z "$command" ]; then command="$word"; break; fi ;;
        esac
    done
    if [ -z "$command" ]; then
        COMPREPLY=( $(compgen -W "@COMMANDS@" -- "$cur") )
        return
    fi
    case "\${COMP_WORDS[COMP_CWORD-1]}" in
        -f|--filename) COMPREPLY=( $(compgen -f -- "$cur") ); return ;;
        -n|--namespace) COMPREPLY=( $(compgen -W "$(kubectl get namespaces -o name 2>/dev/null | cut -d/ -f2)" -- "$cur") ); return ;;
    esac
    case "$command" in
        get|describe|delete|edit|label|annotate|patch|scale|expose|explain)
            if (( COMP_CWORD - index == 1 )); then
                COMPREPLY=( $(compgen -W "$(__kubectl_types)" -- "$cur") )
            else
                COMPREPLY=( $(compgen -W "$(kubectl get $namespace "\${COMP_WORDS[index+1]}" -o name 2>/dev/null | cut -d/ -f2)" -- "$cur") )
            fi ;;
        logs|exec|attach|port-forward)
            COMPREPLY=( $(compgen -W "$(kubectl get $namespace pods -o name 2>/dev/null | cut -d/ -f2)" -- "$cur") ) ;;
        cordon|uncordon|drain)
            COMPREPLY=( $(compgen -W "$(kubectl get nodes -o name 2>/dev/null | cut -d/ -f2)" -- "$cur") ) ;;
        apply|create|replace)
            COMPREPLY=( $(compgen -f -- "$cur") ) ;;
    esac
}

complete -o default -F __start_kubectl kubectl
`;
