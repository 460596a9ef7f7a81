# SPDX-License-Identifier: MIT
# fish completion for popbox: the tool itself knows what fits; see
# `popbox complete` in popbox(8).

function __popbox_fitting
	set -l words (commandline -opc)
	set -l word (commandline -ct)
	for line in (command $words[1] complete -- $words[2..-1] "$word" 2>/dev/null)
		if string match -q \t'*' -- $line
			__fish_complete_path "$word"
		else
			printf '%s\n' $line
		end
	end
end

complete -c popbox -f -a '(__popbox_fitting)'
