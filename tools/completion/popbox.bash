# SPDX-License-Identifier: MIT
# bash completion for popbox: the tool itself knows what fits; see
# `popbox complete` in popbox(8). Installed as
# share/bash-completion/completions/popbox, or sourced from ~/.bashrc.

_popbox()
{
	local rest=${COMP_LINE:0:COMP_POINT} cut words=() word i line answer

	# readline cuts words at @ = : too; what stands together is one word.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		cut=${rest#"${rest%%[![:space:]]*}"}
		if [[ $i -eq 0 || $cut != "$rest" || -z $cut ]]; then
			words+=("")
		fi
		# The cursor may stand inside of the last one.
		((i < COMP_CWORD)) || word=$cut
		words[-1]+=$word
		rest=${cut#"$word"}
	done
	word=${words[-1]}
	# The shell would take away what quotes a letter; the tool must not see it.
	for i in "${!words[@]}"; do
		words[i]=${words[i]//\\/}
	done
	COMPREPLY=()
	# A program that dies is none of the terminal's business.
	answer=$({ "${words[0]}" complete -- "${words[@]:1}"; } 2>/dev/null) ||
		return 0
	while IFS= read -r line; do
		if [[ $line == $'\t'* ]]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		elif [[ -n $line ]]; then
			# A name may hold what the shell would run: `|$!{'.
			printf -v line %q "${line%%$'\t'*}"
			# Behind an open quote a backslash is a letter.
			[[ $word != [\'\"]* || $line != *\\* ]] || continue
			COMPREPLY+=("$line")
		fi
	done <<<"$answer"
	# Only what readline looks at is replaced.
	cut=${word%"$2"}
	COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}
complete -F _popbox popbox
