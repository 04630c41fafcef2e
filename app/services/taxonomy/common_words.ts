/** Words that carry no topic in English. */
const ENGLISH = `
a about above accordingly across actually after afterwards again against ahead all allow almost alone along already also
although always am among an and another any anybody anyhow anyone anything anyway anywhere apart appear are around as aside ask
at away b back be became because become becomes been before beforehand behind being believe below beside besides best better
between beyond big both bottom brief but by c call came can cannot cause causes certain certainly clearly come comes common
completely concerning consequently consider considered considering contain contains correct correctly could course currently d
definitely despite did differ difference different directly do does doing done down downwards due during e each eight either
else elsewhere enough entire entirely especially essentially etc even ever every everybody everyone everything everywhere exact
exactly example except extra f far few fewer fifth finally find fine first five follow followed following follows for former
forth four from full fully further furthermore g gave general generally get gets getting give given gives giving go goes going
gone good got great greatly h had handful happen happens hardly has have having he help helpful hence her here hereafter hereby
herein hers herself him himself his hold how however i idea ideally ie if immediate immediately in inc indeed inside instead
into inward is it its itself j just k keep keeps kept kind know known knows l large larger largest last lately later latter
least less let lets like liked likely little long longer look looking looks lot lots low lower m made mainly make makes making
many may maybe me mean means meant meanwhile mere merely might mind mine minor moment more moreover most mostly much must my
myself n name named namely near nearly necessarily necessary need needed needs neither never nevertheless new newer newest next
nice nine no nobody non none nonetheless nor normally not note noted nothing notice now nowhere o obviously occasionally of off
often oh ok okay old older on once one ones only onto or original other others otherwise ought our ours ourselves out outside
over overall own p part particular particularly parts past per perfectly perhaps piece place placed please plenty plus point
points possible possibly potentially precisely prefer preferably presumably pretty previous previously primarily prior probably
properly provided provides providing purpose put q quick quickly quite r rather ready real really reason reasonable reasonably
recent recently regarding regardless relatively respectively right roughly run running runs s safe said same say saying says
second see seeing seem seemed seems seen self sensible separate serious seriously set sets setting seven several shall she short
shortly should show shown shows side similar similarly simple simpler simplest simply since single six slightly small smaller so
solely some somebody somehow someone something sometimes somewhat somewhere soon sort specific specifically specified specify
specifying start started starting starts still stop sub such sufficient suppose sure t take taken takes taking tell ten tend
than thank thanks that the their theirs them themselves then there thereafter thereby therefore these they thing things think
third this thorough those though three through throughout thru thus time times to together told too took top totally toward
towards tried tries truly try trying twice two typical typically u under underneath undo unfortunately unless unlike unlikely
until unto up upon us use used useful user users uses using usual usually utmost v various versus very via vs w want wanted
wants was way ways we well went were what whatever when whence whenever where whereas wherever whether which whichever while who
whoever whole whom whose why will willing wish with within without wonder work worked working works worth would wrong x y yes
yet you your yours yourself yourselves z zero aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't it's let's
shouldn't that's there's they're wasn't we're we've weren't what's won't wouldn't you'll you're you've i'm i've he's she's
aforementioned basic basically beautiful capable complete convenient convenience deep easy easier easiest easily ensure ensures
exist existing exists expect expected extremely fast faster fastest happy hard ideal important improve improved include
included includes including increase inspired interested intended internal internally lets live lightweight leave left major
manual manually modern multiple multi obvious optional optionally pass passed passes passing popular powerful present pure
quiet raw remain remains require required requires requiring respect result resulting robust short similar slow slower solid
special standard straightforward strict strictly strong succeed suggest suggested support supported supports supporting thin
tiny true false null undefined nan unique unnecessary valid variety wide widely able unable accept accepted accepts add added
adding additional additionally adds advanced affect alternative alternatively apply applied applies applying appropriate assume
assumes attempt automatic automatically available avoid aware based behave behaves behavior behaviour behaviors bring brings
careful case cases change changed changes changing check checked checking checks choose chosen combine comparison consist
consists create created creates creating custom customize customized decide default defaults define defined defines defining
depend depending depends describe described describes desired determine determined directly disable disabled discuss easily
effect enable enabled enables enabling end ends enhance equal equivalent explain explicit explicitly expose exposed extend
extended extends extending extra feature features force forces found functionality grab handle handled handles handling
highly imagine implement implementation implementations implemented implementing implements implicitly indicate indicates
individual inherit initial initially invoke invoked issue issues later lead level limit limited limitation limitations main
maintain maintained manage matter maximum minimum mention modify modified move moved number numbers offer offers omit omitted
open opens opt optionally order override overrides perform performed performs possibility prevent prevents problem problems
process produce produced produces proper provide quality question questions reach read reading reads receive received receives
recommend recommended reduce refer reference relevant rely remember remove removed removes removing replace replaced replaces
report represent represents reset return returned returning returns save section send sends sent similar situation solution
special state store stored stores suitable supply switch thanks turn turned turns two underlying understand unwanted update
updated updates updating usable various varies vary wait whenever willing wrap write writes writing written yield zero year
years day days hour hours minute minutes second seconds ms today ago bit bits byte bytes kb mb gb count amount total maximum
size sizes length item items list lists step steps line lines word words character characters detail details info information
overview introduction summary table contents description note notes tip tips warning caveat caveats faq guide guides tutorial
getting started quickstart usage example examples demo demos sample samples api apis reference docs doc documentation readme
option options argument arguments arg args parameter parameters param params property properties prop props attribute
attributes field fields key keys value values variable variables constant constants method methods function functions callback
callbacks object objects class classes instance instances interface interfaces array arrays string strings boolean booleans
integer integers type types typed typing typings enum syntax expression expressions statement statements code codes snippet
import imports imported export exports exported module modules package packages library libraries lib libs framework tool tools
tooling utility utilities util utils helper helpers plugin plugins extension extensions addon wrapper dependency dependencies
devdependencies install installs installed installing installation uninstall setup npm yarn pnpm bun deno npx node nodejs js
javascript ecmascript commonjs esm cjs mjs require source project projects repo repository repositories github gitlab git
branch commit commits fork issue pull request requests contributor contributors contributing contribute contribution
contributions maintainer maintainers author authors license licensed licence licenses mit apache bsd isc copyright rights
reserved permission permissions warranty sponsor sponsors backer backers donate donation funding support community discord
slack twitter badge badges build builds built status coverage codecov travis ci release releases released version versions
versioning changelog history semver breaking upgrade upgrading migration migrate deprecated deprecation legacy beta alpha stable
latest unreleased todo roadmap bug bugs fix fixed fixes fixing patch minor bump resolve resolved resolves http https www com org
io html url urls link links page pages website site homepage click view views image images logo screenshot app apps application
applications program programs software developer developers development dev production people person team company inc ltd llc
foo bar baz qux hello world lorem ipsum john doe acme mycompany test tests testing tested
official entry entries calling call calls executing execute generation generate generated loading load loads loaded throw throws thrown
parsing parse parsed convert converts operation operations internals integration configuration configurations handler handlers
statistics concept concepts matters strategy runtime settings setting condition conditions entity content index thing credits nov
jan feb mar apr jun jul aug sep oct dec mon tue wed thu fri sat sun gmt utc january february march april june july august september
october november december definitions definition acknowledgements goal goals principle principles minimal resource resources
exception exceptions failure difference differences assumptions algorithm algorithms performance output input format formats
formatting message messages lite smart parent child children collection collections standalone conditional element elements
alternative reason operation instance selection result fold collapse official regular human readable
data error errors async sync asynchronous synchronous component components core allow allows allowing text map approach improvements
chapter chapters figure figures appendix footnote meaning procedure procedures
background portion natural respects wins dealing moving trust trusting belongs merges ecosystem structural image
`

const BOILERPLATE_HEADING =
  /\b(licen[sc]e|licensing|contribut|changelog|change log|release notes|sponsor|backer|donat|funding|author|maintainer|credit|acknowledg|copyright|code of conduct|table of contents|contents|thanks|special thanks|badges?|security contact|community|support us|people|team|who uses|used by|in the wild|related|see also|similar|alternatives|inspiration|roadmap|todo|versioning|tidelift|enterprise|history|stability)/i

const BOILERPLATE_TEXT =
  /permission is hereby granted|without warranty|warranties or conditions|all rights reserved|redistributions? of source code|redistribution and use in source|\bas is\b.{0,3}without|copyright \(c\)|copyright ©|licensed under|released under the|subject to the following conditions|this package contains type definitions for|files were exported from https:|these definitions were written by/i

export const COMMON_WORDS: ReadonlySet<string> = new Set(ENGLISH.split(/\s+/).filter(Boolean))

/** Whether a heading begins what says nothing about the document's matter: license, authors, changes. */
export function isBoilerplateHeading(title: string): boolean {
  return BOILERPLATE_HEADING.test(title)
}

/** Whether a paragraph is the text of a license or of a copyright. */
export function isBoilerplateText(text: string): boolean {
  return BOILERPLATE_TEXT.test(text.slice(0, 2_000))
}
