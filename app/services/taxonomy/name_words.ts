/** The words of a text between spaces. */
export function setOf(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/).filter(Boolean))
}

/** Adjectives and other words that name nothing by themselves, however often they stand behind an article. */
export const NO_NAMES = setOf(`
abstract accessible active actual additional adjacent ambiguous ancient annual anonymous arbitrary atomic auto average bad bare
blank bold bright broad built-in busy central cheap circular classic clean clear client-side closed coarse cold combined
compact compatible complex concrete concurrent consistent constant convenient cool cryptographic crucial current cyclic daily dead
dedicated deep dense dependent destructive diverse dirty distinct double drop-in dry dual due dynamic eager early economic edge-case
efficient electronic elegant empty enormous epic equivalent evident exotic explicit external extraneous false familiar fancy favorite
fatal federal final fine fine-grained finite first-class flat foreign formal fragile free frequent fresh front full fuzzy generic
genuine global golden graceful granular hard-coded heavy hidden high high-level hot huge human-readable identical immutable implicit
inactive independent indirect infinite inline inner insecure intelligent interior intermediate intricate invalid invisible isomorphic
lax lean lightweight linear literal live local logical long-running loose low-level lower lowercase magic mandatory maximal mere
mighty minimal mobile monthly mutable naive narrow native negative nested neutral non-blocking nested normal numeric numerical odd
opaque open-source optimal ordinary outer own parallel partial periodic permanent persistent physical pre-built precise premium
previous private productive professional prominent public quick rapid rare reactive ready-made real real-time realistic
recursive redundant regional reliable remote responsive reverse rich rigid rough safe secure semantic separate sequential
serious server-side sharp shiny short-lived silent simplistic single-page skinny smooth sole sophisticated spare sparse spatial
specialized sporadic stale stand-alone standalone static strange stubborn subtle sudden superb sure swift symbolic synthetic tangible
temporary thick third-party tight top-level total traditional transient transparent transitive trivial ugly ultimate unambiguous
uncommon unexpected uniform universal unknown unlimited unsafe untrusted upper uppercase urgent valuable vast verbose vibrant
virtual visible visual vital volatile vulnerable weak weekly weird whitespace-only wild worst wrong young
greater lesser smaller bigger wider deeper higher shorter longer stronger closer nicer richer smarter simpler safer plain positional dim
miss misses form forms requirement requirements locale-aware
addition advantage afterwards aim alias-free appendix aspect assistance attention basis beginning benefit bunch chance choice
confusion contender contenders convention couple counts decision degree desire discussion effort emphasis enough evidence
existence explanation fact favor favour fun goal goals guarantee guarantees guideline habit heart hint idea
inclusion intent intention interest knowledge lack life look luck mistake mention mess nature nothing occasion
occurrence opinion opportunity outcome pair perspective pitfall preference presence principle pros reality regard relation
remark remainder rest rule-of-thumb scenario sense sibling side situation stuff success suggestion talk thing thought
today trick trouble truth try understanding variant variation whole wish workaround
incoming outgoing
simple-to-use self-contained zero-dependency well-known up-to-date cross-platform out-of-the-box
`)

/** Verbs whose forms are no nouns. */
export const VERBS = setOf(`
tells directs exits instructs
accept accomplish achieve acquire adapt adjust adopt advise affect aggregate aim allocate allow alter analyze announce
append arise arrange assemble assert assign associate assume attach attempt await bail become begin behave believe belong bind
borrow bring calculate capture carry choose cite claim collapse collect combine compare compile complain comply compose
compute concatenate conclude configure confirm conform consider consist construct consume contain continue contribute convert
coordinate correspond create deal declare decode decrease deduce define delegate deliver demonstrate denote depend deploy derive
describe deserialize destroy detect determine develop differ disable disappear discover discuss distinguish distribute
divide drain draw eliminate embed emit emulate enable encode encounter enforce enhance ensure enter
establish evaluate evolve examine exceed exclude execute exist expand expect explain explore expose extract facilitate fail fetch
find finish fit fix follow forbid forget fulfill generate give grow guarantee handle happen help hide hold identify
ignore illustrate implement imply import improve include incorporate increase increment indicate infer influence inform inherit
initialize inject insert inspect install instantiate integrate interact interpolate interpret introduce invoke involve isolate
iterate join keep know launch lead learn leave let live load locate lose maintain make manage manipulate mean merge
mimic modify mutate navigate need normalize notice notify obtain occur offer omit opt originate override overwrite perform permit
persist pick point populate possess preserve pretend prevent proceed produce prohibit promote propagate protect prove provide prune
publish pull push put raise read realize rebuild receive recognize recommend reconstruct recover reduce refer reflect refuse
register reject relate rely remain remember remove rename render repeat replace represent reproduce require rescue resemble reserve
resolve respect respond restore restrict retain retrieve return reveal revert rewrite rotate run satisfy save say 
see seem select send separate serialize serve show simplify simulate skip solve specify spend spread start
strip submit substitute succeed suggest suit supply suppress surround survive suspend swap take teach tell terminate
throw tolerate traverse treat trim truncate try tweak unify unsubscribe use utilize validate vary verify visit want warn write wrap cast yield
accessing registering clarify codify foster originate outperform
`)

/** Gerunds that name something. */
export const GERUNDS = setOf(`
routing testing logging caching parsing rendering encoding decoding matching formatting streaming escaping hashing debugging globbing
styling bundling linting mapping binding scheduling monitoring profiling batching throttling debouncing sorting indexing pooling
clustering queueing queuing embedding tracing mocking nesting chunking signing rounding padding timing warning heading training
pricing billing networking benchmarking publishing messaging tracking pipelining diffing casing branching typing hydrating ring
string spring mixing templating scripting buffering serializing polling watching locking threading sampling scaling sharding
bootstrapping cloning filtering validating sandboxing compiling transpiling minifying polyfilling redacting highlighting theming
tunneling proxying piping hosting spacing shading engineering programming computing processing manifesting building meaning drawing
booking shopping marketing accounting banking cooking gardening sailing farming fishing hunting painting printing spelling
`)
