"""Lines of the log of a server, and whether they are in the server's own words. Pure.

A script may log anything, and Redis writes that as it writes its own lines. So a line counts as the
server's if it has no word but those of Redis, Valkey and Sentinel.
"""

import re

# Process id and role, the time, and the level.
_HEAD = re.compile(
    r"\d+:(?:signal-handler \(\d+\)|[XCSM]) "
    r"(?:\d\d [A-Z][a-z]{2} \d{4} [\d:.]+ |\d{4}-[\dT:.+-]+Z? )?(?:[.*#-] )?"
)
_WORD = re.compile(r"[^\W\d_]+")
# The ids of nodes and of replication, and what a server ends its pauses with.
_ID = re.compile(r"\b(?:[0-9a-f]{40}|[oO0]{13})\b")
# A phone in groups, such as 54 911 5550-1234; not an address, nor a range of slots.
_GROUPS = re.compile(r"(?<![\w.:/])\(?[0-9]{1,5}\)?(?:[ ()-]{1,2}[0-9]{2,5}){2,}(?![\w.:])")


def split(line: str) -> tuple[str, str] | None:
    """Return the beginning of a line, with its time, and its message; None for any other line."""
    found = _HEAD.match(line)
    return (found[0], line[found.end() :]) if found else None


def is_own(message: str) -> bool:
    """Return whether a message has only words of servers in it, and no phone in groups."""
    if "<lua>" in message or _GROUPS.search(message):
        return False
    return all(each.casefold() in _WORDS for each in _WORD.findall(_ID.sub("", message)))


_TEXT = """
a able abort aborted aborting about above abserr accept accepted accepting accordingly
accumulation ack acl acls acquire active add added additional addr address after again age alert
all allocating allow already also alternatively am an and annotations another anticipation any
anyway aof append appendonly apr are argument arguments argv as asap asked asks assign assigned
assigning assuming at atomic attach aug auth authenticated auto aux available average avoid b
back background backlog backup bad base be because been before begin beginning behind being best
bgsave big bio bits block blocking broadcast buf buffer buffering bug bulk but by bye byte bytes
c ca cache cached caching call called calling can canceled cannot capa capable card cause
certificate change changed changes changing channel check child cid claim cleaning clear client
clients clock clocksource clocksources closed closing cluster cmd cmds collision com command
commands commit compensate completed completion condition conf config configepoch configuration
configure configured conn connect connecting connection connections consider contains content
continue convert core correct corrupt corrupted could count cow crash crashed create created
creating critical curepoch current currently d data databases db debug debugging dec declared
dedicated default degraded delay delayed deleting denied denying depending derived descriptors
destination detected determine devices did different dir directory dirty disabled discarding
disconnected disconnecting disk diskless diverges does doesn don done down download downloading
dual due dump duplicate during effect elected election emit emitaof empty enable enabled end
enforced engine enough ensure entered environment eof epoch equal err error establish
established etc eval event events eviction execute executed executing execution existing exit
exited exiting expected expired fail failed failing failover failure failures far fatal fd feb
fields file filename files final finalize finalizing finished fired first fix flags flushing for
forced foreign fork format found free freeing fri from fsync ftruncate full further future gb
generated gettime github good gossip grace granted greater handle handler handshake has hash
hashes hashslot have higher history hold host https i id identify idle ids if ignore immediately
implement import imported importing impossible in inability inbound incr increase incremental
info information initial initialize initialized initiate initiated inprog instance interactive
into invalid io ip is isn issue issues it its jan jemalloc jobs jul jun just kb kernel key keys
kill killed killing know lack laddr lag lagging last leader least length less lib limit limits
line link listener listening load loaded loading locale lock log long longer loss lost low lower
lua m main majority make manifest manual many mar marker marking master match max maxclients
maximum maxmemory may mb meet mem memory message messages method migrated migrateslots migrating
migration migrations milliseconds minority minutes mismatch missing mode modified module modules
mon monitor monotonic more move moving ms multi must my mymaster myself n name named need needed
net never new next no nobody node nofile non noone normal not nothing nov now number o object
obl obtain occur occurred oct odown of offset ok old oll omem on one only oo oom ooo open
opening operation option or order orphan orphaned ourselves out output over overcoming
overcommit overlaps own owned owner ownership packet pair parameter parameters parent parser
part partial partition pass passed password past pause paused pausing paws pawsctl peak peer
pending perform performance performed period permissions pid ping pipe please policy popen port
posix possible possibly previous previously primary primarys proc process processed processing
produced progress promoted promotion proper protocol provided psub psync pthread qbuf query
quorum r range rank ranked rax rbp rbs rdb reachable reached read readable reading ready really
reboot received receiving reclaim reconf reconfiguring reconnecting recorded redacted redir
redis reduced refuse refused rejected rejecting remain remaining remove removed removing rename
renamed repeatedly repl replconf replica replicaof replicas replication replid replied reply
report reported reporting reqconfigepoch reqepoch request requested requiring reset resetting
resp response responsibility responsible restart result resurrecting resync resynchronization
retry return reused rewrite rewriteappendonlyfile rewriting right role root routines rule run
running s sat save saved saving scheduled scheduling script scripting sdown second secondary
seconds see seem select selected send sender sending sent sentinel sep served server servers
serving set setting shard short should shutdown shutting side signal signature sigterm since
size slave slaveof slaves slot slots slow smaller snapshot snapshotting so socket sockets
somaxconn some source specified specifiers ssl sslv ssub stack stale standalone start started
starting starts stat state static status still stop stopping store stream streamed streaming sub
subcommand succeeded success successful successfully sun support sure switch sync synced
synchronization synchronize syncslots synthesize sys sysctl system take taking target tcp temp
temporary terminated test than that the then there this thread threads through thu ticks tilt
time timed timedout timeout timestamp timing tls tlsv tmp to too took topology tot trace
transfer transition tried triggered truncate truncated truncating try trying tsc tue turning
type ulimit unable unassigned under understand unexpected unix unknown unloaded unpaused
unpausing unrecoverable up update updated updates updating us usage use used user username using
valid valkey value variables ver version via volatile vote voted votes wait waiting want warning
was watch we wed what when while will win with within without won writable write writes writing
wrong wrongpass x yes you your
"""
_WORDS = frozenset(_TEXT.split())
