"""Drives Thunderbird without a screen: an account of the add-ons TbSync and EAS-4-TbSync is set up by
their own form, synchronised, read, written to and synchronised again.

Usage: protocol_thunderbird.py SERVER AUTHORITY USER PASSWORD VERSION DIRECTORY ADDON...

AUTHORITY is a file with the server's authority, DIRECTORY is empty and for Thunderbird's profile, an
ADDON is an XPI file. Prints what Thunderbird holds after the first time, as JSON."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from marionette_driver.marionette import Marionette

TBSYNC, EAS = "tbsync@jobisoft.de", "eas4tbsync@jobisoft.de"
PATIENCE = 40

PREFERENCES = {
    "marionette.port": 0,
    "extensions.autoDisableScopes": 0,
    "extensions.startupScanScopes": 15,
    "extensions.update.enabled": False,
    "app.update.enabled": False,
    "app.donation.eoy.version.viewed": 999,
    "mail.provider.enabled": False,
    "mail.rights.version": 1,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "calendar.timezone.local": "Europe/Berlin",
    "calendar.timezone.useSystemTimezone": False,
}

IS_ACTIVE = """
const {AddonManager} = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
return (await AddonManager.getAddonByID(values[0]))?.isActive ?? false;
"""

# Runs CODE in a page of an add-on, which lives in another process, with the page's own rights.
IN_PAGE = """
const [addon, page, code, values, done] = arguments;
const views = WebExtensionPolicy.getByID(addon)?.extension?.views ?? [];
const view = [...views].find(view => view.uri?.spec.includes(page) && view.xulBrowser);
if (!view) { done({absent: true}); return; }
const name = "answer" + Math.random();
const messages = view.xulBrowser.messageManager;
messages.addMessageListener(name, function listener(message) {
  messages.removeMessageListener(name, listener);
  done(message.data);
});
const inside = `(async values => JSON.stringify(await (async () => { ${code} })() ?? null))`
  + `(${JSON.stringify(values)})`;
const script = `
  const sandbox = Cu.Sandbox(content, {sandboxPrototype: content, wantXrays: false});
  Cu.evalInSandbox(${JSON.stringify(inside)}, sandbox).then(
    value => sendAsyncMessage(${JSON.stringify(name)}, {value}),
    error => sendAsyncMessage(${JSON.stringify(name)}, {error: String(error)}));`;
const address = "data:application/javascript;charset=utf-8," + encodeURIComponent(script);
messages.loadFrameScript(address, false);
"""

# A frame with a page of an add-on, from which its background can be asked: a page cannot ask itself.
FRAME = """
let frame = document.querySelector("iframe");
if (!frame) {
  frame = document.createElement("iframe");
  const loaded = new Promise(resolve => frame.addEventListener("load", resolve));
  frame.src = values.frame;
  document.body.append(frame);
  await loaded;
}
"""

# Asks TbSync as its own window does.
ASK = FRAME + """
const port = frame.contentWindow.browser.runtime.connect({name: "tbsync-manager"});
return await new Promise((resolve, reject) => {
  port.onMessage.addListener(message => {
    if (message.requestId !== "1") return;
    port.disconnect();
    message.ok ? resolve(message.result) : reject(new Error(message.error));
  });
  port.postMessage({kind: "rpc", requestId: "1", cmd: values.command, args: values.arguments});
});
"""

# The same without waiting: the answer comes when the form is filled in.
ASK_FOR_FORM = ASK.replace("return await new Promise", "new Promise")

# Changes settings of an account as the add-on's own window does.
SET = FRAME + """
const answer = await frame.contentWindow.browser.runtime.sendMessage({
  type: "eas.saveAccount", accountId: values.account, patch: values.settings});
if (!answer.ok) throw new Error(answer.error);
"""

FILL_IN = """
document.querySelector('[data-value="custom"]').click();
for (const [id, value] of Object.entries(values)) document.getElementById(id).value = value;
document.getElementById("btn-submit").click();
"""

TRUST = """
const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
const lines = values[0].split("\\n").filter(line => !line.startsWith("-----"));
database.addCertFromBase64(lines.join(""), "C,C,C");
"""

# All that the folders of the add-on hold, as Thunderbird itself has it.
HELD = """
const {cal} = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const held = {contacts: [], events: [], tasks: []};
const book = MailServices.ab.directories.find(book => book.dirName.startsWith("People"));
for (const card of book?.childCards ?? []) {
  held.contacts.push({first: card.firstName, last: card.lastName, email: card.primaryEmail,
                      telephones: card.vCardProperties.getAllValues("tel")});
}
held.contacts.sort((one, other) => one.first < other.first ? -1 : 1);
const when = time => time && `${time.icalString} ${time.timezone.tzid}`;
for (const calendar of cal.manager.getCalendars()) {
  for (const item of await calendar.getItemsAsArray(calendar.ITEM_FILTER_ALL_ITEMS, 0, null, null)) {
    const shown = {calendar: calendar.name, title: item.title, text: item.descriptionText};
    if (item.isEvent()) {
      const reminders = item.getAlarms().map(alarm => alarm.offset.icalString);
      const later = item.startDate.clone();
      later.year += 1;
      const instances = item.recurrenceInfo?.getOccurrences(item.startDate, later, 0) ?? [];
      held.events.push({...shown, start: when(item.startDate), end: when(item.endDate),
                        place: item.getProperty("LOCATION"), reminders,
                        instances: instances.map(one => when(one.startDate)),
                        guests: item.getAttendees().map(guest => guest.id)});
    } else {
      held.tasks.push({...shown, due: when(item.dueDate), done: item.isCompleted});
    }
  }
}
for (const list of [held.events, held.tasks]) {
  list.sort((one, other) => one.title < other.title ? -1 : 1);
}
return held;
"""

# A contact more and one less, a series, an event in another place, of a series one instance at another
# time and one less, a task that is done, one more and one less.
WRITE = """
const {cal} = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const {CalEvent} = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
const {CalTodo} = ChromeUtils.importESModule("resource:///modules/CalTodo.sys.mjs");
const {AddrBookCard} = ChromeUtils.importESModule("resource:///modules/AddrBookCard.sys.mjs");
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const book = MailServices.ab.directories.find(book => book.dirName.startsWith("People"));
const card = new AddrBookCard();
card.setProperty("_vCard", `BEGIN:VCARD\r
VERSION:4.0\r
N:Hopper;Grace;;;\r
FN:Grace Hopper\r
EMAIL;TYPE=work;PREF=1:grace@example.org\r
TEL;TYPE=cell;VALUE=TEXT:+1 555 0123\r
END:VCARD\r
`);
book.addCard(card);
book.deleteCards(book.childCards.filter(card => card.firstName === "Charles"));
const calendars = cal.manager.getCalendars();
const plans = calendars.find(calendar => calendar.name.startsWith("Plans"));
const events = await plans.getItemsAsArray(plans.ITEM_FILTER_ALL_ITEMS, 0, null, null);
const review = events.find(event => event.title === "Quarterly review");
const moved = review.clone();
moved.setProperty("LOCATION", "Room 8");
await plans.modifyItem(moved, review);
const series = events.find(event => event.title === "Stand-up");
const changed = series.clone();
const later = series.startDate.clone();
later.year += 1;
const instances = changed.recurrenceInfo.getOccurrences(series.startDate, later, 0);
const first = instances[0].clone();
for (const [name, hour] of [["startDate", 10], ["endDate", 11]]) {
  const time = first[name].clone();
  time.hour = hour;
  first[name] = time;
}
changed.recurrenceInfo.modifyException(first, true);
changed.recurrenceInfo.removeOccurrenceAt(instances.at(-1).recurrenceId);
await plans.modifyItem(changed, series);
await plans.addItem(new CalEvent(`BEGIN:VEVENT\r
UID:thunderbird-1\r
SUMMARY:Compiler review\r
LOCATION:Room 9\r
DTSTART;TZID=Europe/Berlin:20270302T100000\r
DTEND;TZID=Europe/Berlin:20270302T113000\r
RRULE:FREQ=WEEKLY;COUNT=3\r
END:VEVENT\r
`));
const chores = calendars.find(calendar => calendar.name.startsWith("Chores"));
const tasks = await chores.getItemsAsArray(chores.ITEM_FILTER_ALL_ITEMS, 0, null, null);
const offer = tasks.find(task => task.title === "Send the offer");
const done = offer.clone();
done.isCompleted = true;
await chores.modifyItem(done, offer);
await chores.deleteItem(tasks.find(task => task.title === "Water the plants"));
await chores.addItem(new CalTodo(`BEGIN:VTODO\r
UID:thunderbird-2\r
SUMMARY:Order paper\r
DESCRIPTION:Two boxes.\r
DUE:20270305T000000Z\r
PRIORITY:1\r
END:VTODO\r
`));
"""


class Thunderbird:
    def __init__(self, directory, addons):
        self.profile = directory / "profile"
        (self.profile / "extensions").mkdir(parents=True)
        for addon in addons:
            shutil.copy(addon, self.profile / "extensions")
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items()]
        (self.profile / "user.js").write_text("".join(lines))
        with open(directory / "thunderbird.log", "w") as log:
            self.process = subprocess.Popen(
                ["thunderbird", "--headless", "--no-remote", "--marionette",
                 "--remote-allow-system-access", "--profile", self.profile],
                env={**os.environ, "HOME": str(directory)}, stdout=log, stderr=log)

    def connect(self):
        port = wait("Thunderbird listens", self.port)
        self.marionette = Marionette(host="127.0.0.1", port=port)
        self.marionette.start_session()
        self.marionette.timeout.script = PATIENCE
        self.marionette.set_context("chrome")
        for addon in (TBSYNC, EAS):
            wait(f"{addon} fits to this Thunderbird", lambda: self.run(IS_ACTIVE, addon))

    def port(self):
        assert self.process.poll() is None, "Thunderbird ended"
        try:
            return int((self.profile / "MarionetteActivePort").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def run(self, code, *values):
        """Runs code with Thunderbird's own rights."""
        script = f"""
            const done = arguments[arguments.length - 1];
            (async (...values) => {{ {code} }})(...arguments).then(
                value => done({{value}}), error => done({{error: `${{error}} ${{error.stack}}`}}));"""
        return answer(self.marionette.execute_async_script(script, script_args=values))

    def in_page(self, addon, page, code, values):
        """Runs code in a page of an add-on as soon as there is one."""
        said = wait(f"the page {page} of {addon}", lambda: self.try_page(addon, page, code, values))
        return json.loads(answer(said))

    def try_page(self, addon, page, code, values):
        said = self.marionette.execute_async_script(IN_PAGE, script_args=[addon, page, code, values])
        return None if said.get("absent") else said

    def ask(self, command, code=ASK, **arguments):
        """Asks TbSync, by one of its window's commands."""
        values = {"frame": "/options/options.html", "command": command, "arguments": arguments}
        return self.in_page(TBSYNC, "background", code, values)

    def events(self):
        """What the add-ons logged."""
        return self.ask("getEventLogAll")["entries"]


def answer(said):
    assert "error" not in said, said["error"]
    return said.get("value")


def wait(what, look):
    """Looks until there is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"did not come about: {what}")


class Account:
    def __init__(self, thunderbird, server, user, password, version):
        self.thunderbird = thunderbird
        wait("TbSync knows EAS", self.provider_is_there)
        thunderbird.ask("addAccount", ASK_FOR_FORM, providerId="eas")
        form = {"account-name": "DME", "server": server, "user": user, "password": password}
        thunderbird.in_page(EAS, "setup.html", FILL_IN, form)
        account, = wait("the account", lambda: thunderbird.ask("getState")["accounts"])
        self.id = account["accountId"]
        # The add-on asks the server what it speaks, and takes no orders meanwhile.
        wait("what the server speaks", lambda: self.account()["custom"].get("allowedEasVersions"))
        values = {"frame": "/dialogs/options/options.html", "account": self.id,
                  "settings": {"asVersionSelected": version, "syncOnChange": "5"}}
        thunderbird.in_page(EAS, "background", SET, values)
        wait("the account is on", self.enable)
        spoken = self.account()["custom"]["asversion"]
        assert spoken == version, f"{spoken} is spoken instead of {version}"
        for folder in wait("folders", self.folders):
            thunderbird.ask("setFolderSelected", accountId=self.id, folderId=folder["folderId"],
                            selected=True)

    def provider_is_there(self):
        providers = self.thunderbird.ask("getState")["providers"]
        return any(p["providerId"] == "eas" and p["state"] == "active" for p in providers)

    def account(self):
        account, = self.thunderbird.ask("getState")["accounts"]
        return account

    def enable(self):
        try:
            self.thunderbird.ask("setAccountEnabled", accountId=self.id, enabled=True)
        except AssertionError as error:
            if "still being set up" not in str(error):
                raise
        return self.account()["enabled"]

    def folders(self):
        """What the account's owner is shown; the trash is hidden."""
        folders = self.thunderbird.ask("getFolders", accountId=self.id)["folders"]
        return [folder for folder in folders if not folder["hidden"]]

    def synchronise(self):
        before = self.synchronised()
        self.thunderbird.ask("syncAccount", accountId=self.id)
        self.wait_synchronised(before)

    def synchronised(self):
        """When any folder was last, in milliseconds."""
        return max(folder["lastSyncTime"] for folder in self.folders())

    def wait_synchronised(self, before):
        """Waits until every folder was synchronised after this time and has nothing left to send."""
        wait("synchronised", lambda: all(
            folder["lastSyncTime"] > before and not folder["localChanges"]
            for folder in self.folders()))
        # TbSync calls "aborted" what waited for its turn when another run ended.
        bad = [folder for folder in self.folders() if folder["status"] in ("warning", "error")]
        assert not bad, bad


def main(server, authority, user, password, version, directory, *addons):
    thunderbird = Thunderbird(Path(directory), addons)
    try:
        thunderbird.connect()
        thunderbird.run(TRUST, Path(authority).read_text())
        account = Account(thunderbird, server, user, password, version)
        account.synchronise()
        print(json.dumps(thunderbird.run(HELD)))
        before = account.synchronised()
        thunderbird.run(WRITE)
        # The add-on does it by itself when nothing changed for a while.
        account.wait_synchronised(before)
    except AssertionError as error:
        sys.exit(f"{error}\n{json.dumps(thunderbird.events(), indent=1)}")
    finally:
        thunderbird.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
