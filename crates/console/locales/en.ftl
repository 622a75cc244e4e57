skip = Skip to the content
places = Places
overview = Overview
devices = Devices
users = Users
connectors = Connectors
administrator = administrator
delegate = delegated administrator
auditor = auditor
sign-in = Sign in
sign-in-by-link = This link signs you in as an administrator at the server, once.
sign-out = Sign out
login = User name
password = Password
password-again = Your password again
first-time = For the first time, or without a directory: on the server, run
light = Light
dark = Dark
wants = Needs a decision
all-well = All is well: nothing waits for you.
figures = Figures
topology = Topology
devices-wait = { $n ->
    [one] One device waits to be let in
   *[other] { $n } devices wait to be let in
 }
wipes-wait = { $n ->
    [one] One wipe waits for its device
   *[other] { $n } wipes wait for their devices
 }
messages-wait = { $n ->
    [one] One message waits for its connector
   *[other] { $n } messages wait for their connectors
 }
connector-locked = Connector { $name } waits to be approved
certificate-ends = The certificate of connector { $name } ends within a week
no-connector = No connector is linked: no phone can be served
connectors-run = connectors run
search = Search
find = Find
filters = Filters
all = All
allowed = Allowed
quarantined = Quarantined
blocked = Blocked
devices-found = { $n ->
    [one] One device
   *[other] { $n } devices
 }
users-found = { $n ->
    [one] One user
   *[other] { $n } users
 }
connectors-found = { $n ->
    [one] One connector
   *[other] { $n } connectors
 }
user = User
model = Model
protocol = Protocol
state = State
policy = Policy
last-seen = Last seen
first-seen = First seen
pages = Pages
earlier = Earlier
later = Later
device-id = Device ID
agent = Client
wipe = Wipe
acts = What can be done
allow = Let in
quarantine = Quarantine
block = Block
resync = Synchronise anew
remove = Forget
wiping = Lost or stolen
wipe-account = Wipe the account
wipe-device = Wipe the whole device
unwipe = Call the wipe off
trace = Sync trace
trace-empty = Nothing is on record: no conflict, nothing that could not be read.
name = Name
address = Address
access = Access
shut-out = shut out
authentication = Passwords are checked
enable = Let in again
disable = Shut out
end-sessions = End sessions
flush = Ask connectors anew
routes = Routes
nobody = nobody
connector = Connector
tier = Tier
verdict = Verdict
load = Load
can-serve = can serve
since = Since
functions = Functions
enrol = Add a connector
enrol-how = Make a token, and give it to the operator of the new connector: “dme connector enroll” takes it. The connector waits locked until its fingerprint is compared here, unless you approve it beforehand.
valid-seconds = Good for (seconds)
approved = approved beforehand
make-token = Make a token
tokens = Tokens
expires = Good until
realms = Realms
realm = Realm
sources = Sources
groups = Groups
trouble = Trouble
refresh = Read the directories now
fingerprint = Fingerprint
release = Release
peer = From
round-trip = Round trip
watches = watches
certificate = Certificate
bytes = Bytes
compare-fingerprint = Compare the fingerprint above with what the connector's operator reads out, letter by letter, before you approve it.
approve = Approve
lock = Lock
revoke = Revoke
settings = Settings
done = Done.
wrong-password = User name or password is wrong.
no-role = You may sign in, but you have no administrator's role here.
too-many = Too many attempts: wait a minute, then try again.
directory-away = The directory cannot be asked right now. Try again in a moment.
link-used = This link was used already or is too old: run “dme console” again.
confirm-first = Show your password again for this.
session-over = Your session has ended: sign in again.
api-tokens = API tokens
api-tokens-what = Programs administer by these, each within its duties. What a token says is shown once, when it is made.
api-tokens-found = { $n ->
    [one] One token
   *[other] { $n } tokens
 }
duties = Duties
duty-see = look at users, devices, connectors
duty-operate = let devices in, block and wipe them
duty-configure = change connectors, policies and rules
duty-audit = read the records
made = Made
last-used = Last used
expired = expired
valid-days = Good for (days)
shown-once = Copy this now, it is not shown again: { $name }
refused = This is not to be had
statistics = Statistics
log = Log
audit = Audit
kind = Kind
level = Level
export = Export all of these events as JSON lines
events-dropped = { $n ->
    [one] One event could not be written
   *[other] { $n } events could not be written
 }
newest-first = The newest first
time = Time (UTC)
message = Message
concerns = Concerns
older = Older
audit-sound = The record is sound: every row is there, unchanged and in its place.
audit-faults = Something was done to the record:
audit-rows = Rows
audit-signed = Signed by a connector up to row
audit-verify = Verify the record now
who = Who
act = Act
target = On what
outcome = Outcome
span = Span
day = Day
week = Week
month = Month
by = Told apart by
hour = Hour
lines-further = { $n ->
    [one] One more line is in the CSV file.
   *[other] { $n } more lines are in the CSV file.
 }
command = Command
device = Device
requests = Requests
errors = Errors
received = Received
sent = Sent
items = Items
half-within = Half within
most-within = 95 % within
policies = Policies
policies-how = What phones must be set to. A value set for a group goes before the default, a device's own before both; of groups the upper one goes before the lower. Each change shows first whom it affects.
revision = Revision
levels = Levels, the strongest first
level-default = Default
everyone = everyone
raise = Make stronger
take-away = Take away
new-group = New group
make = Make
directory-groups = Directory groups
os = Operating system
value = Value
least = at least
most = at most
locked = locked
whom = Whom does it affect?
try-changed = { $n ->
    [one] Changes for one device
   *[other] Changes for { $n } devices
 }
try-overridden = { $n ->
    [one] Overridden by a stronger level for one device
   *[other] Overridden by a stronger level for { $n } devices
 }
try-untouched = { $n ->
    [one] Nothing changes for one other device.
   *[other] Nothing changes for { $n } other devices.
 }
push = Waiting phones take it at once
apply = Apply
leave = Leave it as it is
admission = Admission
admission-how = Which devices may in. The first rule that fits decides; a rule by model or operating system is judged when the device has told them.
rules-found = { $n ->
    [one] One rule
   *[other] { $n } rules
 }
meant-for = Meant for
then = Then
reason = Reason
otherwise = Otherwise
as-configured = as the configuration file says
new-rule = New rule
apply-rules = Apply the rules to devices that nobody decided about
wipes = Wipes
what = What
requested = Requested
told = Device told
acknowledged = Acknowledged
receipt = Receipt
confirm = Confirm
compliance = Compliance
groups-in = In groups
pending = Waits for its next contact
call-off = Call off
erases-account = Wiping the account:
erases-device = Wiping the whole device:
steps = What it was told
release-device = Let it be
my-title = My devices
my-terms = Terms of use
my-accept = I accept these terms
my-none = No phone or tablet has used your account yet.
my-label = Name of the device
my-rename = Rename
my-remove = Remove: I no longer use it
my-lost-how = If it is lost: it is shut out at once, and your account on it is erased when it next comes. A phone of an older protocol cannot erase the account alone; it is shut out and keeps what it has.
my-whole = Erase the whole device
lost-next_contact = Done. It is shut out, and what you had erased is erased when it next comes.
lost-second_person = It is shut out. You had many devices erased within an hour: this one is erased when an administrator has confirmed it.
lost-not = It is shut out, and keeps what it has: its protocol is too old to erase your account alone. Change the password of your mail.
lost-no_login = It is shut out. It is told to erase what it has when it has signed in, which it cannot now: ask your administrator.
my-lost = It is lost: block and erase
my-block = Block only
my-add = Add a device
my-add-how = You get a code to scan with the device's camera. You need not sign in there.
my-add-button = Show the code
my-with-password = With a password for this device alone
my-passwords = Passwords for devices
my-passwords-how = A password for one device, in the place of your own. It works on the first device that uses it and on no other.
my-bound = Used by
my-unused = not used yet
my-revoke = Take back
my-make = Make a password
my-made = A password for a device
my-once = It is shown this once. Type it now; after this page nobody can look it up.
my-scan = Scan this with the device's camera, or open the link on the device. It works once, until
my-qr = The link as a QR code
my-or-type = The link:
my-sign-in-how = With the user name and password of your mail.
my-apple = Load the profile, then open Settings, tap “Profile downloaded” and install it. The account is then there.
my-profile = Load the profile
my-address = Mail address
my-server = Server
my-password-own = your own
my-password-made = made when you press the button below, once
my-gmail = Settings, Add account, Exchange and Office 365. Type the mail address and the password; where the server is asked for, type the server above and leave SSL/TLS on. Leave the domain empty, and use the user name above.
my-samsung = Email, Add account, Exchange or Other, Manual setup, Microsoft Exchange ActiveSync. Mail address, user name, password and server as above; security SSL.
my-outlook = Add account, type the mail address, choose Exchange when asked, then “Not Exchange?” or Show advanced settings: server and user name as above, domain empty. The Outlook app reaches your mail through Microsoft's own servers, which keep your password.
my-away = Out of office
my-away-state = Answers
my-away-off = None are sent
my-away-on = Are sent from now on
my-away-within = Are sent on these days
my-away-from = First day
my-away-to = Last day
my-away-colleagues = What colleagues are told (empty: nothing)
my-away-others = What others are told (empty: nothing)
my-away-password = Your password
my-away-why = Your mail system shows and changes this only with your password. It is used once and not kept.
my-away-show = Show
my-save = Save
no-user = This account may not use phones.
behaviour = Behaviour
behaviour-how = When a device misbehaves, and what is done about it. Each device is counted by itself; of several rules that are broken at once the sternest counts.
behaviour-which = Devices that misbehave
behaviour-slow = slow it down
behaviour-block = shut it out until it is released
behaviour-tell = tell administrators only
behaviour-requests = requests
behaviour-repeated_key = the same request for a folder again, though there is something new
behaviour-failing_item = the same item fails
behaviour-wrong_password = wrong passwords
behaviour-errors = requests that end in errors
counts = What is counted
threshold = How often it may happen
within = In which time
within-minutes = In how many minutes
slow-minutes = Slowed down for how many minutes
take-suggested = Take the suggested rules
misbehaves = misbehaves
devices-misbehave = { $n ->
    [one] One device misbehaves
   *[other] { $n } devices misbehave
 }
wipes-second = { $n ->
    [one] One wipe waits for a second administrator
   *[other] { $n } wipes wait for a second administrator
 }
syncs-failed = { $n ->
    [one] One folder could not be synchronised in the last hour
   *[other] { $n } times a folder could not be synchronised in the last hour
 }
budget-near = The link of connector { $name } has used most of this month's budget
webhook-given-up = Webhook { $name } is given up
last-day = The last 24 hours
latency = 95 % answered within
link-bytes = Bytes on links
at-most = at most
topology-whole = The whole topology
topology-how = The server on the left, its connectors in the middle, what is behind each on the right. The list below says the same.
as-list = The same as a list
server = Server
realm-orphan = No linked connector is the source of realm { $name }
directory = Directory
directory-how = Who may in is decided by groups of the directories. They are read by themselves; while a directory is away, what was read last holds.
read-at = Read at
age = Age
outbox = Outbox
outbox-how = Messages from phones that wait because the connector of their sender's mail cannot be reached. They are sent by themselves when it is back.
outbox-empty = Nothing waits.
number = Number
attempts = Attempts
set-aside = set aside
routes-how = Which connector serves a user is decided by scope, by what it offers and by whose mailbox it has. Why it is this one stands on the user's page.
simulate = What if …?
simulate-down = Were these connectors down
simulate-go = Show what would become of whom
simulate-none = Nobody would notice.
simulate-all-served = All of them would be served by others.
simulate-lost = { $n ->
    [one] One would be served by nobody
   *[other] { $n } would be served by nobody
 }
simulate-moved = { $n ->
    [one] One function of a user would move
   *[other] { $n } functions of users would move
 }
function = Function
now-by = Now
then-by = Then
flush-all = Ask connectors anew about everybody
flush-how = Never needed in practice: routes are found anew by themselves when anything changes.
terms = Terms of use
terms-how = What users are to accept on their own page. Each publication is a new version that everybody accepts anew.
terms-none = Nothing is to be accepted.
terms-text = Text; empty where nothing is to be accepted any more
new-terms = Publish a new version
publish = Publish
who-accepted = Who accepted this version
accepted-by = { $n ->
    [one] Accepted by one user
   *[other] Accepted by { $n } users
 }
version = Version
webhooks = Webhooks
webhooks-how = Events told to other systems by HTTP, signed, and tried again for a day. They are made and changed in the server's configuration file, because their secrets lie beside it, and hold after a restart:
webhooks-found = { $n ->
    [one] One webhook
   *[other] { $n } webhooks
 }
webhook-test = Send a test
webhook-enable = Begin again
last-delivered = Last delivered
given-up = given up
fails = fails
runs-well = well
waits = waiting
runs = running
many-devices = Many devices
none-chosen = No device is chosen.
with-chosen = With the chosen ones
go-on = Go on
choose = Choose
choose-all = Choose all
wipe-how = Each is erased at its next contact, and a receipt is kept of each.
wipe-limit = Wipes left in this hour without a second administrator:
wipe-second = Those beyond wait until another administrator confirms them.
wipe-told = the device was told
wipe-untold = the device was not told yet
wipe-requested = wipe requested
today = within a day
idle-week = not for a week
idle-month = not for a month
idle-quarter = not for a quarter
last-contact = Last contact
more = More
directory-group = Group
pending-short = waits
compliance-compliant = policy applied
compliance-pending = not taken yet
compliance-partial = applied in part
compliance-refused = refused
compliance-not_asked = not asked
collections = Folders
collection = Folder
collections-none = It was told of no folder yet.
outstanding = Still to be told
placeholders = Placeholders
send-again = Send again
item = Item
items-further = { $n ->
    [one] and one more
   *[other] and { $n } more
 }
more-to-tell = There was more to tell.
known = Known
steps-none = It was told nothing since the server started.
deed-added = added
deed-changed = changed
deed-deleted = deleted
deed-from_device = from the device
deed-refused = refused
what-happened = What happened
trace-phone_overruled = Both sides changed it; the phone's change was not carried out.
trace-mail_system_overruled = Both sides changed it; the phone's change was carried out.
trace-unconvertible = It cannot be read; the phone has a placeholder.
trace-resync = The phone began the folder anew.
order-block = Shut it out
order-policy = Take its policy anew
order-resync_all = Begin anew with all folders
order-resync_folder = Begin a folder anew
order-resync_item = Send an item again
events = Lately
no-events = Nothing happened that would be on record.
all-events = All of it in the log
logins = Logins
scope = Scope
serves-whom = Serves
checks-whose = Checks the logins of
scope-names = Users, parted by commas, or the group
scope-everyone = everyone
scope-users = these users
scope-group = a directory group
scope-scope = those it serves
primary = primary
failover = failover
parallel-calls = Calls at once
queued-calls = Calls that may wait
switched-off = Functions that are switched off
save = Save
as-configured-again = Forget all of this: the configuration file holds again
drain = Drain
resume = Give work again
make-code = Make a code to come back with
connector-code-how = For a connector that lost its key or was restored: “dme connector enroll” takes the code, and it is known under its old name again.
connector-code = code
take-back = Take back
bytes-since = Since the server's start
budget = This month's budget
from-connector = From it
to-connector = To it
on-the-wire = on the wire
diagnosis = Diagnosis
diagnose = Have it try out what it needs
diagnose-how = It tries its mail systems, directories and its link, and tells its settings without secrets. This takes up to a minute.
no-diagnosis = None was made yet.
download = Download
check = What was tried
verdict-good = good
verdict-warning = worth a look
verdict-bad = does not work
verdict-unknown = unknown
its-log = Its last warnings
its-settings = Its settings
configuration = What it serves
version-wanted = Version wanted:
version-in-force = in force:
secrets-marked = Secrets are sealed to the connector: here only marks stand in their place.
own-file = Its own configuration file says it. “dme connector configure” hands that over to the server.
my-no-name = A name is wanted, of at most { $name } characters.
my-unclear = The mail system cannot be asked right now. Try again in a few minutes.
my-passwords-off = Passwords for single devices are switched off here. Your own password is what a device asks for.
my-passwords-needed = Your mail system opens your mail only with your own password. A device with any other would get none, so that none can be made.
my-passwords-many = You have { $name } passwords for devices, which is as many as allowed. Take one back first.
my-not-whole = Whole devices are erased by administrators only. Your account on it can be erased.
my-not-removed = A device that is blocked, waits or is to be erased is removed by an administrator.
my-other-terms = The terms have changed meanwhile. Read the new ones first.
my-away-long = A text is too long: at most { $name } bytes.
my-not-yours = This is not your password.
my-away-no-day = Say the first and the last day.
my-away-order = The last day is before the first.
my-away-none = Your mail system has no out-of-office messages.
my-link-used = This link was used already, or is too old. Sign in at “My devices” and make another one.
my-wipe-ordered = ordered; it is erased when it next comes
my-wipe-done = it said that it erased everything it was to
webhook-target = Sent to
more-filters = More filters
my-certificates = Certificates for devices
my-certificates-how = A certificate for one device, in the place of a password. Nobody can guess it or look it over your shoulder. It works on the first device that uses it and on no other.
my-certificates-besides = A certificate for one device, beside the password. It works on the first device that uses it and on no other.
my-certificates-off = Certificates for devices are switched off here.
my-certificates-many = You have { $name } certificates for devices, which is as many as allowed. Take one back first.
my-with-certificate = With a certificate for this device alone
my-certificate-first = This device logs in with a certificate. Make it here, load it, and install it before you add the account; choose it where the account asks for a client certificate.
my-certify = Make a certificate
my-certified = A certificate for a device
my-file = Load the certificate
my-file-how = Load the file on the device and install it: it asks for this password once.
my-file-password = Password of the file
my-password-none = none: leave it empty, the certificate is enough
my-ends = Good until
my-ends-soon = ends soon: add the device again
my-ended = has ended
my-outlook-not = The Outlook app cannot show a certificate: it reaches your mail through Microsoft's own servers. Use another app.
account = Your account
roles = Roles
code = Code of your authenticator, or a recovery code
code-how = The app on your phone shows it; it changes every 30 seconds.
code-unreadable = Your second factor cannot be read: have another administrator reset it.
wrong-code = The code is wrong, or was used already: wait for the next one.
sign-in-anew = Sign in as somebody else
second-factor = Second factor
second-factor-how = Scan this with an authenticator app, then type the code that it shows.
second-factor-qr = QR code of the secret for your authenticator
second-factor-type = Or type this secret into it:
second-factor-confirm = Set it up
second-factor-none = Your password alone lets you in. An authenticator app on your phone keeps others out who have come to know it.
second-factor-begin = Set an authenticator up
second-factor-remove = Remove the second factor
second-factor-since = An authenticator is set up since
second-factor-reset = Reset the second factor
recovery = Recovery codes
recovery-how = Keep these codes where you find them without your phone. Each lets you in once in the place of the authenticator. They are not shown again.
recovery-kept = I have kept them: go on
recovery-once = Keep these recovery codes; each is good once, and they are not shown again: { $name }
recovery-renew = Make new recovery codes
recovery-left = { $n ->
    [0] No recovery code is left: make new ones.
    [one] One recovery code is left.
   *[other] { $n } recovery codes are left.
 }
sessions = Sessions
this-session = this browser
end-all-sessions = End all sessions
session-of = Signed in to
session-console = this console
session-my = their own page
end-session = End
end-other-sessions = End all others
signed-in-by = Signed in by
browser = Browser
client-address = Address
began = Since
sign-in-with = Sign in with { $name }
provider-again = Show again who you are, then try anew
provider-over = That took too long, or was begun in another browser: sign in again.
provider-refused = The provider did not let you in, or its word does not count here.
provider-away = The provider cannot be asked now. Sign in another way, or try again later.
provider-other = The provider said that you are somebody else.
emergency-used = The account for emergencies was used: { $name }. Give it another password at the server (dme console emergency make), or remove it.
admins-told = Administrators told
