/** What pages gain where scripts run. Everything is there without them too, only less swift and not live. */
import "htmx.org";
import { keepDrafts } from "./drafts";
import { guardForms } from "./forms";
import { listenForKeys } from "./keys";
import { stayLive } from "./live";

guardForms();
keepDrafts();
listenForKeys();
stayLive();
