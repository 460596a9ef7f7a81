#!/bin/sh
# The command and login tests once more, with the sanitizers' programs.
cd "$(dirname "$0")/.." || exit 1
POPBOX_BUILD=$PWD/build/san
# popbox-checkpw cannot be traced after its drop, so leaks cannot be looked
# for in it; what it leaks ends with it.
ASAN_OPTIONS=detect_leaks=0
export POPBOX_BUILD ASAN_OPTIONS
number=0
for test in tests/cli/*.t tests/login/*.t; do
	number=$((number + 1))
	# A subtest: its own lines indented, one result for the whole.
	if output=$("$test" 2>&1) &&
		! printf '%s\n' "$output" | grep -q '^not ok'; then
		echo "ok $number - $test passes with sanitizers"
	else
		printf '%s\n' "$output" | sed 's/^/    # /'
		echo "not ok $number - $test passes with sanitizers"
	fi
done
echo "1..$number"
