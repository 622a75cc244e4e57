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
policy-taken = taken
policy-not-taken = not taken yet
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
export = Export what is shown as JSON lines
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
