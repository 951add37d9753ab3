"""People's actions as JSON, for the sandbox's page: `add_routes(app, server)` puts them under `/sandbox/discord/`.

All ids are strings, as in Discord's own API. `person` is a user's id. Every POST takes and gives `application/json`.

    GET  state?person=P                     → State, as P sees it
    GET  feed?person=P                      → server-sent events, one `data: Event` each, what P sees. Without `person`: everything
    GET  commands?person=P&channel=C        → [Command], those that P's client would offer there
    GET  messages?person=P&channel=C        → [Message], oldest first, the 100 newest
    GET  files/{attachment}/{name}          → the bytes of an attachment, from the page's own origin
    POST slash            {person, channel, command, options: {name: value}, files?: {name: File}}             → Reply
    POST autocomplete     {person, channel, command, options: {name: typed so far}, focused: name}             → {choices: [{name, value}]}
    POST press            {person, message, button: custom_id or label}                                       → Reply
    POST choose           {person, message, select: custom_id or placeholder, values: [value, …]}              → Reply
    POST submit           {person, modal: Modal.id, values: {custom_id or label: value}}                      → Reply
    POST message-command  {person, channel, message, command}                                                 → Reply
    POST say              {person, channel, content}                                                          → {message: Message}
    POST dismiss          {person, message}                                 an ephemeral message goes away     → {}
    POST dms              {person, closed: bool}                            the privacy switch of the client   → {}

A POST answers when the bot has answered, at most about 3 seconds later; what comes after that (a deferred answer's text,
edits, follow-ups) comes through `feed`.

State    {bot: {id, name, online}, me: Person|null, people: [Person], guilds: [{id, name, channels: [Channel]}],
          dms: [Channel], modals: [Modal]}
Person   {id, name, username, locale, dms_closed}
Channel  {id, name, type: "text"|"announcement"|"dm", topic, with: name of the other side of a dm or null,
          messages: [Message] oldest first, the 100 newest}
Message  {id, channel, author: {id, name, bot}, content, components: [Component], embeds: [Discord's embed objects],
          files: [{id, name, size, url, content_type}], ephemeral: bool, only_for: person id or null,
          loading: bool ("Patchbell is thinking…"), edited: bool, at: ISO 8601 UTC,
          mentions: [ids of those it pings], mentions_everyone: bool,
          via: {user: name, command: name} or null (the line above an answer to a command),
          reply_to: message id or null}
Component  Discord's own component objects (developers/components/reference.mdx), nested, with their `type`, `custom_id`,
          `label`, `style`, `disabled`, `options`…; `attachment://` addresses are already replaced by `files/…` ones
Command  {name ("group sub" where nested), type: 1 slash | 3 message, description,
          options: [{name, type: Discord's number, description, required, autocomplete, choices: [{name, value}],
                     min_length, max_length, min_value, max_value}]}
File     {name, data: base64}
Modal    {id, person, title, fields: [{custom_id, label, description, type: Discord's component number, style, value,
          placeholder, required, min_length, max_length, min_values, max_values,
          options: [{label, value, description, default}]}], texts: [markdown shown between fields]}
          values in `submit`: text, radio and single choices a string; selects and checkbox groups a list; a checkbox a
          bool; a file upload a list of File; users, channels and roles a list of ids
Reply    {interaction, state: State, message: Message|null, followups: [Message], modal: Modal|null}
          state "waiting" | "deferred" (message.loading) | "answered" | "acknowledged" (nothing to show) |
          "updated" (the message pressed was edited) | "modal"
Event    {type: "message", message: Message}   new or edited: replace by id
         {type: "message_deleted", id, channel, only_for}
         {type: "interaction", id, person, state, name (of the command, or the button's custom_id)}   also "failed"
         {type: "modal", modal: Modal}         a dialog opened for `modal.person`
         {type: "modal_closed", id, person}
         {type: "bot", online: bool}
         {type: "channel", channel: id}        a channel or DM appeared: fetch `state`

Refusals are 400 {error: one sentence for the person, kind: class name in people.py}; 504 with kind "TheBotDidNotAnswer".
"""
