# popbox: `make`, `make check`, `make deep`, `make bench`, `make demo`; see README.md and doc/.
#
#	DYNAMIC=1	link the login program dynamically
#	SAN=1		build with sanitizers, under build/san
#	O=build		where objects are, if not below B: builds that differ in
#			linking alone share them
#	V=1		show the commands
#	CC=clang	any C17 compiler with GNU extensions
#	BENCH=login	make bench of those alone; JSON=FILE keeps the rows
#	DEEP=10		make deep ten times as long
#	QMAIL=/var/qmail  let demo and check use a real installation's programs
#	PREFIX=/usr/local DESTDIR=  where `make install` puts things

VERSION  = 0.1
MAKEFLAGS += --no-builtin-rules --no-print-directory
Q        = $(if $(V),,@echo "  $(@:build/%=%)";)
CC       = gcc
B        = build$(if $(SAN),/san)
O        = $(B)
QMAIL    =

# The sanitizers' reports name functions and lines, which -g1 knows.
OPT      = $(if $(SAN),-O1 -g1,-O2 -g)
HARDEN   = -fstack-protector-strong -fstack-clash-protection -fPIE \
	   $(if $(filter x86_64,$(shell uname -m)),-fcf-protection) \
	   $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(if $(findstring clang,$(CC)),2,3))
WARN     = -Wall -Wextra -Werror -Wshadow -Wconversion -Wformat=2 -Wvla \
	   -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	   -Wcast-qual -Wwrite-strings -Wundef -Wswitch-enum
SANFLAGS = $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer)
CPPFLAGS = -D_GNU_SOURCE -DPOPBOX_VERSION='"$(VERSION)"' -I. -Itools
CFLAGS   = -std=gnu17 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS)
LDFLAGS  = -Wl,-z,relro,-z,now,-z,noexecstack $(SANFLAGS)
STATIC   = $(if $(DYNAMIC)$(SAN),,-static-pie)
comma    = ,
# Where libpq's header is.
PQ_INCLUDE = -I/usr/include/postgresql
# How a program starts is most of what it costs (doc/PERFORMANCE.md): packed
# relocations, and libc the first to be asked for a symbol.
LOGIN_LD = $(or $(STATIC),-pie) $(if $(STATIC),-Wl$(comma)-z$(comma)pack-relative-relocs)
# nettle is taken in: as a library it would double what a dynamic login costs.
TOOLLIB  = $(if $(SAN),,-lc) -lsodium -llmdb -lcrypt -l:libnettle.a -lidn2 -ljansson -lcdb -lcsv
RCPTLIB  = $(if $(DYNAMIC),-lc) -lsodium -llmdb $(if $(STATIC),-lpthread)
LOGINLIB = $(if $(DYNAMIC),-lc) -lsodium -llmdb -lcrypt -l:libnettle.a $(if $(STATIC),-lpthread)

# What the login program is made of, by name: nothing here writes the store.
LOGIN    = $(addprefix checkpw/,main request verdict seen log lastlogin \
	   confine confine_calls) \
	   $(addprefix store/,err name fold record row handle domain box app address \
	   store path config config_file login secret drop fault db/db) \
	   $(addprefix store/hash/,pwhash pwhash_form pwhash_digest pwhash_wrap \
	   pwhash_old pwhash_foreign)
STORE    = $(patsubst %.c,%,$(wildcard store/*.c store/*/*.c))
TOOL     = $(patsubst %.c,%,$(filter-out tools/maildirsmtp/% \
	   tools/askpw/% tools/centralpg/% tools/quota/% tools/rcptcheck/% \
	   tools/vacation/%,$(wildcard \
	   tools/*.c tools/*/*.c tools/*/*/*.c))) $(STORE)
SMTP     = $(patsubst %.c,%,$(wildcard tools/maildirsmtp/*.c)) tools/base/inherited
ASKPW    = tools/askpw/main tools/base/inherited tools/base/ask
# Nor here: what it needs of the store is what a login does, and what is retained.
RCPT     = tools/rcptcheck/main tools/rcptcheck/recipient tools/accounts/resolve \
	   $(addprefix tools/qmail/,dotqmail dotqmail_lines route) \
	   tools/maildir/maildirsize $(addprefix tools/base/,ask inherited text) \
	   $(filter-out checkpw/% store/login store/hash/%,$(LOGIN)) store/parked
QUOTA    = $(patsubst %.c,%,$(wildcard tools/quota/*.c)) \
	   tools/maildir/maildirsize tools/maildir/usage \
	   tools/base/dir tools/base/inherited tools/base/mail_date
VACATION = $(patsubst %.c,%,$(wildcard tools/vacation/*.c)) \
	   tools/maildir/vacation_file \
	   $(addprefix tools/base/,inherited mail_date utf8)
# The one program that knows libpq; for those who have several hosts.
CENTRAL  = $(patsubst %.c,%,$(wildcard tools/centralpg/*.c)) \
	   tools/base/inherited tools/base/frames
PROGRAMS = popbox popbox-checkpw popbox-askpw popbox-quota popbox-rcptcheck \
	   popbox-vacation popbox-maildirsmtp
BENCHES  = $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))
UNITS    = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
STANDINS = $(patsubst tests/qmail/%.c,%,$(filter-out tests/qmail/common.c \
	   tests/qmail/deliver_local.c,$(wildcard tests/qmail/*.c)))

obj      = $(addprefix $(O)/,$(addsuffix .o,$(1)))

all: $(addprefix $(B)/,$(PROGRAMS))

$(B)/popbox-checkpw: $(call obj,$(LOGIN)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) $(LOGIN_LD) -o $@ $(filter %.o,$^) $(LOGINLIB)

$(B)/popbox-askpw: $(call obj,$(ASKPW)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) $(LOGIN_LD) -o $@ $(filter %.o,$^)

$(B)/popbox-rcptcheck: $(call obj,$(RCPT)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) $(LOGIN_LD) -o $@ $(filter %.o,$^) $(RCPTLIB)

$(B)/popbox-quota: $(call obj,$(QUOTA)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) $(LOGIN_LD) -o $@ $(filter %.o,$^)

$(B)/popbox-vacation: $(call obj,$(VACATION)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) $(LOGIN_LD) -o $@ $(filter %.o,$^)

$(B)/popbox: $(call obj,$(TOOL)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $(filter %.o,$^) $(TOOLLIB)

$(B)/popbox-central: $(call obj,$(CENTRAL)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $(filter %.o,$^) -lpq
$(O)/tools/centralpg/%.o: private CPPFLAGS += $(PQ_INCLUDE)

# Who runs it without being able to read it cannot be traced from its first
# instruction (execve(2)): other processes of popusr wait for that.
$(B)/popbox-maildirsmtp: $(call obj,$(SMTP)) $(B)/links
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $(filter %.o,$^) -lcurl
	$(Q)chmod 711 $@

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Other flags make other objects, or link them anew.
$(O)/flags: said = $(CC) $(CPPFLAGS) $(CFLAGS)
$(B)/links: said = $(CC) $(LDFLAGS) $(LOGIN_LD) $(LOGINLIB) $(RCPTLIB) $(TOOLLIB)
$(O)/flags $(B)/links: force
	@mkdir -p $(@D)
	@echo '$(said)' | cmp -s - $@ || echo '$(said)' > $@

# Private, or the flags' file would have these as well, and all be made anew.
$(O)/tests/unit/%.o: private CFLAGS += -Wno-write-strings
$(B)/unit/%: $(O)/tests/unit/%.o $(B)/rooms.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $^ \
		-lcmocka -llmdb -lsodium -lcrypt -l:libnettle.a -lidn2 -ljansson -lcdb -lcsv

$(B)/qmail/deliver: $(O)/tests/qmail/deliver_local.o
$(B)/qmail/%: $(O)/tests/qmail/%.o $(O)/tests/qmail/common.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $^ -lcdb

# The floor of a login is linked as the login program is, in both ways.
$(B)/bench/floor_login: $(O)/tests/bench/floor_login.o $(B)/links
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $(LOGIN_LD) -o $@ $(filter %.o,$^) \
		-Wl,--no-as-needed $(LOGINLIB)

$(B)/bench/%: $(O)/tests/bench/%.o $(call obj,$(STORE))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $^ -llmdb -lsodium -lcrypt -l:libnettle.a

# The tool with small limits, so that tests of large changes need not be large.
SMALL    = $(addprefix tools/publish/,collect errand publish) \
	   $(addprefix tools/popusr/,child mailroot_bulk mailroot_tree) \
	   tools/breach/breach_sort
$(O)/small/%.o: private CPPFLAGS += -DPLAN_PART=40 -DERRAND_MANY=8 -DMAILROOT_DISKS=2 \
	-DCHILD_SILENCE=2 -DMAILROOT_TREE_LIMIT=2 -DBREACH_RUN=1000
$(O)/small/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/small/popbox: $(call obj,$(addprefix small/,$(SMALL)) \
		$(filter-out $(SMALL),$(TOOL))) $(B)/links
	$(Q)$(CC) $(LDFLAGS) -pie -o $@ $(filter %.o,$^) $(TOOLLIB)

tests: all standins units $(B)/popbox-central $(B)/small/popbox \
	$(addprefix $(B)/bench/,$(BENCHES))

units: $(addprefix $(B)/unit/,$(UNITS))

# Beside the static login program, of the same objects.
dynamic:
	$(MAKE) all DYNAMIC=1 B=build/dynamic O=build

# Each function says when it ends: tests/watched.t looks at what it leaves.
watched:
	$(MAKE) build/watched/popbox build/watched/popbox-checkpw DYNAMIC=1 \
		B=build/watched WARN=-w HARDEN=-fPIE \
		OPT="-O0 -g1 -finstrument-functions"

# Every module but the programs' mains: a unit test or a fuzzer takes what it needs.
$(B)/rooms.a: $(filter-out %/main.o,$(sort $(call obj,$(LOGIN) $(TOOL) $(SMTP) $(RCPT) $(QUOTA) $(VACATION))))
	$(Q)rm -f $@; ar cr $@ $^

standins: $(addprefix $(B)/qmail/,$(STANDINS))

demo-dialup: dialup-packages
	$(MAKE) all standins
	tests/demo-dialup $(if $(QMAIL),--qmail $(QMAIL))

demo-cluster: cluster-packages
	$(MAKE) all standins $(B)/popbox-central
	tests/demo-cluster

check: check-packages
	tests/run $(if $(QMAIL),--qmail $(QMAIL))

# DEEP=10 is ten times as long; HARNESS="fuzz kills" runs those alone, -fuzz all but
# that one. QMAIL=/var/qmail is for the harness genuine.
deep: deep-packages
	$(MAKE) -j2 tests
	tests/deep/run $(if $(QMAIL),--qmail $(QMAIL)) $(or $(DEEP),1) $(HARNESS)

# BENCH="login publish" runs those alone, JSON=FILE writes the rows down.
bench: bench-packages
	$(MAKE) -j2 tests
	$(MAKE) -j2 dynamic
	$(MAKE) build/dynamic/bench/floor_login DYNAMIC=1 B=build/dynamic O=build
	tests/bench/run $(if $(JSON),--json $(JSON)) $(BENCH)

captures: capture-packages
	$(MAKE) all standins
	tests/captures >build/captures && mv build/captures doc/CAPTURES.md

demo: demo-packages
	$(MAKE) all standins
	tests/demo $(if $(QMAIL),--qmail $(QMAIL))

BUILD_PACKAGES = gcc libc6-dev liblmdb-dev libsodium-dev libcrypt-dev \
	nettle-dev \
	libidn2-dev libjansson-dev libcdb-dev libcsv-dev \
	libcurl4-openssl-dev
DEMO_PACKAGES  = $(BUILD_PACKAGES) ucspi-tcp mpop python3
CLUSTER_PACKAGES = $(DEMO_PACKAGES) libpq-dev postgresql-15 iproute2 openssl
DIALUP_PACKAGES = $(BUILD_PACKAGES) python3 python3-aiosmtpd
CHECK_PACKAGES = $(DEMO_PACKAGES) libcmocka-dev perl binutils strace mandoc \
	tinycdb curl whois argon2 openssl python3-aiosmtpd clang libclang-rt-14-dev \
	dovecot-pop3d dovecot-imapd dovecot-lmtpd apache2-utils \
	zsh fish daemontools s6 systemd stunnel4 fail2ban iproute2 \
	dpkg-dev lintian valgrind libpq-dev postgresql-15 lmdb-utils
DEEP_PACKAGES  = $(CHECK_PACKAGES) clang-tidy cppcheck shellcheck llvm-14 \
	lmdb-utils
BENCH_PACKAGES = $(CHECK_PACKAGES) lmdb-utils checkpw gnuplot-nox
demo-packages:
	@tests/packages $(DEMO_PACKAGES)
deb-packages:
	@tests/packages $(BUILD_PACKAGES) libpq-dev dpkg-dev
cluster-packages:
	@tests/packages $(CLUSTER_PACKAGES)
dialup-packages:
	@tests/packages $(DIALUP_PACKAGES)
capture-packages:
	@tests/packages $(BUILD_PACKAGES) python3
check-packages:
	@tests/packages $(CHECK_PACKAGES)

bench-packages:
	@tests/packages $(BENCH_PACKAGES)

# doc/plots anew, of figures that tests/bench/growth wrote there.
plots: bench-packages
	tests/bench/plot

# What is installed; the store, popusr and qmail are the administrator's.
PREFIX   = /usr/local
SHARE    = $(DESTDIR)$(PREFIX)/share
SBIN     = $(DESTDIR)$(PREFIX)/sbin
MANDIR   = $(PREFIX)/share/man
MAN      = $(DESTDIR)$(MANDIR)
SECTIONS = $(sort $(patsubst .%,%,$(suffix $(wildcard doc/man/*))))
DOC      = $(SHARE)/doc/popbox
BASHDIR  = $(SHARE)/bash-completion/completions
ZSHDIR   = $(SHARE)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
FISHDIR  = $(SHARE)/fish/vendor_completions.d
INSTALL  = install -D -p -m 644

# A program is replaced at once: logins come while it is installed.
install: all
	for p in $(PROGRAMS); do \
		case $$p in *smtp) mode=711;; *) mode=755;; esac; \
		install -D -m $$mode $(B)/$$p $(SBIN)/$$p.new && \
		mv -f $(SBIN)/$$p.new $(SBIN)/$$p || exit 1; \
	done
	for s in $(SECTIONS); do \
		$(INSTALL) -t $(MAN)/man$$s doc/man/*.$$s || exit 1; \
	done
	$(INSTALL) tools/completion/popbox.bash $(BASHDIR)/popbox
	$(INSTALL) -t $(ZSHDIR) tools/completion/_popbox
	$(INSTALL) -t $(FISHDIR) tools/completion/popbox.fish
	rm -rf $(DOC)/examples $(DOC)/guide
	mkdir -p $(DOC)
	cp -R doc/examples doc/guide $(DOC)
	chmod -R u=rwX,go=rX $(DOC)/examples $(DOC)/guide

# For those who have several hosts: popbox-central(8).
install-cluster: $(B)/popbox-central
	install -D -m 755 $(B)/popbox-central $(SBIN)/popbox-central.new
	mv -f $(SBIN)/popbox-central.new $(SBIN)/popbox-central

# Directories in which others have files stay.
uninstall:
	rm -f $(addprefix $(SBIN)/,$(PROGRAMS) popbox-central) \
		$(foreach s,$(SECTIONS),$(patsubst doc/man/%,$(MAN)/man$s/%,\
			$(wildcard doc/man/*.$s))) \
		$(BASHDIR)/popbox $(ZSHDIR)/_popbox $(FISHDIR)/popbox.fish
	rm -rf $(DOC)/examples $(DOC)/guide
	rmdir $(DOC) 2>/dev/null || :

deb: deb-packages
	VERSION=$(VERSION) tools/deb/build

deep-packages:
	@tests/packages $(DEEP_PACKAGES)

clean:
	rm -rf build

.PHONY: all tests units dynamic watched standins check bench captures plots demo demo-dialup demo-cluster bench-packages check-packages demo-packages \
	cluster-packages \
	dialup-packages capture-packages \
	deep deep-packages install install-cluster uninstall deb deb-packages clean force
.SECONDARY:
-include $(wildcard $(addprefix $(O)/,*/*.d */*/*.d */*/*/*.d */*/*/*/*.d))
