// Written by tools/client-types from docs/openapi.json: change that, and run it again.

/** What a service POSTs. Flags may come as "true" and "false"; the channels as a list or with commas. */
export interface NotificationBody {
  notificationType?: string | Array<string> | null;
  targetId?: string | null;
  targetType?: string | null;
  user?: string | null;
  message?: string | null;
  serviceKey?: string | null;
  templateId?: string | null;
  templateIds?: Record<string, string> | null;
  mobileNumber?: string | null;
  email?: string | null;
  personalisationParams?: Record<string, unknown> | null;
  trustedParams?: Array<string> | null;
  requireAction?: boolean | string | null;
  requireEmailNotification?: boolean | string | null;
  requireSmsNotification?: boolean | string | null;
  requireLetter?: boolean | string | null;
  reference?: string | null;
  sensitive?: boolean | string | null;
  followOnAction?: Record<string, unknown> | null;
  escalation?: Array<unknown> | null;
  threadKey?: string | null;
  expiresAt?: string | null;
}

/** What somebody did about a notification. `id`, where given, must be that of the path. */
export interface ActionBody {
  actionType?: string | null;
  id?: string | null;
  actionNote?: string | null;
}

/** A notification as the asker may see it. */
export interface NotificationItem {
  id: string;
  targetId: string | null;
  targetType: string | null;
  notificationType: string;
  user: string | null;
  message: string | null;
  serviceKey: null;
  templateId: string | null;
  mobileNumber: string | null;
  email: string | null;
  requireAction: boolean;
  requireEmailNotification: boolean;
  requireSmsNotification: boolean;
  requireLetter: boolean;
  isReadStatus: boolean;
  sentMessageDetails: Array<string> | null;
  actionNote: string | null;
  performedActionDoneBy: string | null;
  performedActionType: string | null;
  isRemovable: boolean;
  personalisationParams: Record<string, unknown> | null;
  performedActionDate: string | null;
  createdDate: string;
  reference: string | null;
  templateIds: Record<string, string>;
  templateUnchecked: boolean;
  warnings: Array<string>;
  deliveries: Array<DeliveryItem>;
  sensitive: boolean;
  followOnAction: FollowOnItem | null;
  escalation: Array<Record<string, unknown>>;
  threadKey: string | null;
  expiresAt: string | null;
  endedAt: string | null;
  endedBy: string | null;
  replacedBy: string | null;
  isSeenStatus: boolean;
  isArchived: boolean;
  isUnreadable: boolean;
}

export interface DeliveryItem {
  id: string;
  channel: string;
  status: "pending" | "scheduled" | "held" | "sending" | "sent" | "received" | "delivered" | "permanent-failure" | "temporary-failure" | "technical-failure" | "validation-failed" | "virus-scan-failed" | "returned" | "cancelled" | "suppressed" | "expired" | "dead";
  notifyId: string | null;
  attempts: number;
  sentAt: string | null;
  completedAt: string | null;
  failureReason: string | null;
  documentId: string | null;
  templateVersion: number | null;
}

/** What there is to do elsewhere, by https at a host that is allowed to the service. */
export interface FollowOnItem {
  label: string;
  url: string;
  kind: string;
}

/** A message as GOV.UK Notify knows it, in the specification's names. Times are Notify's own text. */
export interface MessageStatusItem {
  id: string;
  completedAt: string | null;
  emailAddress: string | null;
  body: string | null;
  subject: string | null;
  line1: string | null;
  line2: string | null;
  line3: string | null;
  line4: string | null;
  line5: string | null;
  line6: string | null;
  phoneNumber: string | null;
  postage: string | null;
  reference: string | null;
  sentAt: string | null;
  status: string;
  type: string;
  createdByName: string | null;
  template: TemplatePath;
  line7: string | null;
  postcode: string | null;
}

export interface TemplatePath {
  id: string | null;
  path: string | null;
  version: number | null;
}

export interface TemplateItem {
  id: string;
  name: string | null;
  type: string;
  version: number;
  subject: string | null;
  body: string;
  placeholders: Array<string>;
}

/** The values to fill a template in with, as they would stand in a notification. */
export interface PreviewBody {
  personalisationParams?: Record<string, unknown> | null;
  trustedParams?: Array<string> | null;
}

/** What would go out, as GOV.UK Notify writes it. Only an email has `html`. */
export interface PreviewItem {
  id: string;
  type: string;
  version: number;
  subject: string | null;
  body: string;
  html: string | null;
}

/** A request that would be accepted: nothing of it was kept, and nothing is sent. */
export interface ValidationItem {
  valid: boolean;
  warnings: Array<string>;
  templateUnchecked: boolean;
}

/** How many notifications there are; more than that, where it is not exact. A person is told too how many of them are unread, unseen and need action, where their own counts say it. */
export interface CountItem {
  count: number;
  isExact: boolean;
  unread?: number | null;
  unseen?: number | null;
  needsAction?: number | null;
}

/** What is done with all that the filters hold; with `ids`, only with those of them. */
export interface MarkBody {
  actionType?: string | null;
  ids?: Array<string> | null;
}

/** So many were changed. Where that was not all of them, the same request goes on. */
export interface MarkedItem {
  marked: number;
  isComplete: boolean;
}

/** One thing that happened to a notification, in plain English; still to come where `isAhead`. */
export interface TimelineItem {
  at: string;
  kind: string;
  text: string;
  channel: string | null;
  deliveryId: string | null;
  actor: string | null;
  note: string | null;
  correlationId: string | null;
  isAhead: boolean;
}

/** What became of one notification of a bulk: what POST would have answered to it alone. */
export interface BulkResult {
  index: number;
  status: number;
  notification?: NotificationItem | null;
  validation?: ValidationItem | null;
  problem?: Problem | null;
  idempotentReplay?: boolean;
}

/** An error by RFC 9457, with the two members of the council's own shape beside it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  userErrorMessage: string;
  devErrorMessages: Array<string>;
  errors?: Array<FieldProblem> | null;
  reason?: string | null;
  correlationId?: string | null;
}

export interface FieldProblem {
  field: string;
  message: string;
}

/** A delivery that was given up, or of which somebody has to decide; by the delivery's id. */
export interface DeadLetterItem {
  id: string;
  notificationId: string;
  channel: string;
  templateId: string;
  reference: string | null;
  cause: string;
  reason: string;
  explanation: string;
  createdAt: string;
  diedAt: string;
  replayedAt: string | null;
  attempts: Array<AttemptItem>;
}

export interface AttemptItem {
  number: number;
  startedAt: string;
  endedAt: string | null;
  outcome: string | null;
  statusCode: number | null;
  reason: string | null;
}

/** `maySendTwice` takes up also what may have been sent. */
export interface ReplayBody {
  maySendTwice?: boolean | null;
}

/** Which dead letters to take up again. `all` says that no other filter is meant. */
export interface ReplayManyBody {
  all?: boolean | null;
  channel?: string | null;
  templateId?: string | null;
  reference?: string | null;
  cause?: string | null;
  diedFrom?: string | null;
  diedTo?: string | null;
  maySendTwice?: boolean | null;
}

export interface ReplayedItem {
  replayed: number;
}

/** One thing that was done, with the number of the seal that holds it. Where nobody is named, `actor` is null: it was Postroom, or is not told to this caller, or where `isUnreadable` cannot be opened. */
export interface AuditItem {
  id: string;
  at: string;
  kind: string;
  detail: string | null;
  actor: string | null;
  note: string | null;
  ip: string | null;
  notificationId: string | null;
  service: string | null;
  correlationId: string | null;
  seal: number | null;
  isUnreadable: boolean;
}

/** An event by Standard Webhooks: the body of a call, and an item of the feed. */
export interface FeedbackItem {
  id: string;
  type: "created" | "sent" | "delivered" | "failed" | "suppressed" | "seen" | "read" | "actioned" | "expired" | "removed";
  timestamp: string;
  cursor: string;
  data: FeedbackData;
}

/** What happened to which notification. `sequence` grows with every event of a notification. */
export interface FeedbackData {
  notificationId: string;
  sequence: number;
  deliveryId: string | null;
  channel: string | null;
  status: string | null;
  reason: string | null;
  action: string | null;
  actor: "service" | "officer" | "postroom" | "reader";
  reference: string | null;
  targetId: string | null;
  targetType: string | null;
  correlationId: string | null;
}

export interface WebhookBody {
  url?: string | null;
}

/** A service's webhook. `secret` is shown once: when it is new, or after a rotation. `url` is null where it cannot be opened any more: then nobody is called until it is set again. */
export interface WebhookItem {
  url: string | null;
  secret: string | null;
  isOn: boolean;
  offAt: string | null;
  offReason: string | null;
  failingSince: string | null;
  formerSecretUntil: string | null;
  waiting: number;
  createdAt: string;
}

/** One try of a call. `error` is a word for what went wrong before an answer came. */
export interface WebhookAttemptItem {
  id: string;
  eventId: string;
  notificationId: string;
  number: number;
  at: string;
  tookMs: number;
  statusCode: number | null;
  error: string | null;
  outcome: "delivered" | "try-again" | "given-up" | "gone";
}

export interface ResendBody {
  since?: string | null;
}

export interface ResentItem {
  resent: number;
}

/** Members of a group or a patch, by their e-mail addresses. */
export interface MembersBody {
  members?: Array<string> | null;
}

/** A member. `registeredAt` is since when it is said here, `toldAt` since when their token says it. */
export interface MemberItem {
  email: string;
  registeredAt: string | null;
  toldAt: string | null;
}

/** A group or a patch that has members. */
export interface AudienceItem {
  name: string;
  members: number;
}

/** A browser that popups are pushed to. `expirationTime` is in milliseconds since 1970. */
export interface PushSubscriptionBody {
  endpoint: string | null;
  expirationTime?: number | null;
  keys: PushKeysBody | null;
}

/** The browser's public key and its secret, as base64url. */
export interface PushKeysBody {
  p256dh: string | null;
  auth: string | null;
}

/** The address of a subscription. */
export interface PushEndpointBody {
  endpoint: string | null;
}

/** One browser of the asking person. It is dropped where nobody confirms it for 14 days. */
export interface PushSubscriptionItem {
  id: string;
  createdDate: string;
  confirmedDate: string;
  expiresDate: string | null;
}

/** `publicKey` is what a browser subscribes with, as its `applicationServerKey`. */
export interface PushItem {
  publicKey: string;
  subscriptions: Array<PushSubscriptionItem>;
}

/** What was chosen for one service, as its row keeps it; None where the deployment's choice holds. */
export interface ServiceLimits {
  callsAMinute?: number | null;
  sameTemplateAnHour?: number | null;
  notifyAMinute?: number | null;
  notifyEmailsADay?: number | null;
  notifyTextsADay?: number | null;
  notifyInternationalTextsADay?: number | null;
  notifyLettersADay?: number | null;
  sameTextAnHour?: number | null;
  textsAnHour?: number | null;
}

/** What a service is registered with. `templateNames` has the ids by name, below each environment. */
export interface ServiceBody {
  name?: string | null;
  owner?: string | null;
  environment?: string | null;
  notifyKey?: string | null;
  /** One of live, team, test. */
  notifyKeyType?: string | null;
  webhookUrl?: string | null;
  defaultGroup?: string | null;
  prependName?: boolean | null;
  templateNames?: Record<string, Record<string, string>> | null;
  limits?: ServiceLimits;
  trustedParams?: Array<string> | null;
  allowedLinkHosts?: Array<string> | null;
}

/** What becomes different. What is left out stays; `null` takes away what a service can be without. */
export interface ServiceChangesBody {
  owner?: string | null;
  environment?: string;
  notifyKey?: string | null;
  /** One of live, team, test. */
  notifyKeyType?: string;
  webhookUrl?: string | null;
  defaultGroup?: string | null;
  prependName?: boolean;
  templateNames?: Record<string, Record<string, string>>;
  limits?: ServiceLimits;
  trustedParams?: Array<string>;
  allowedLinkHosts?: Array<string>;
  isActive?: boolean;
}

/** A service. `notifyKey` is null where it has none; `webhookUrl` is shown to admins and to itself. */
export interface ServiceItem {
  name: string;
  owner: string | null;
  environment: string;
  notifyKey: NotifyKeyItem | null;
  hasWebhook: boolean;
  webhookUrl: string | null;
  webhookIsOn: boolean;
  defaultGroup: string | null;
  prependName: boolean;
  templateNames: Record<string, Record<string, string>>;
  limits: ServiceLimits;
  trustedParams: Array<string>;
  allowedLinkHosts: Array<string>;
  isActive: boolean;
  createdAt: string;
  webhookSecret: string | null;
}

/** Of a service's key at GOV.UK Notify: the part that is its name, and its type. */
export interface NotifyKeyItem {
  name: string | null;
  type: string;
}

/** A service that was registered. Its key, receipt token and webhook secret are shown this once. */
export interface NewServiceItem {
  service: ServiceItem;
  apiKey: KeyItem;
  receiptToken: string;
}

/** An API key. `key` itself is shown once, where it is issued. */
export interface KeyItem {
  id: string;
  name: string;
  state: "valid" | "expired" | "revoked";
  scopes: Array<"members:write" | "notifications:read" | "notifications:write" | "templates:read">;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  key: string | null;
}

export interface ReceiptTokenItem {
  receiptToken: string;
}

export interface KeyBody {
  name?: string | null;
  scopes?: Array<string> | null;
  /** A date, or a time by RFC 3339. */
  expiresAt?: string | null;
}

/** The end of the new key, and of the old one. The old one lasts until it is revoked, if left out. */
export interface RotateKeyBody {
  /** A date, or a time by RFC 3339. */
  expiresAt?: string | null;
  oldExpiresAt?: string | null;
}

export interface Health {
  status: string;
  checks: Record<string, string>;
}

/** Notify somebody. */
export interface CreateNotificationQuery {
  /** Judge it as ever, and keep and send nothing. It counts as a call, and uses no Idempotency-Key. */
  validateOnly?: boolean;
}

/** List notifications, a page as JSON or all of them as CSV. */
export interface ListNotificationsQuery {
  /** One or more channels, repeated or with commas. */
  notificationType?: Array<"Screen" | "Email" | "Text" | "Letter" | "All">;
  /** What it is about. */
  targetId?: string;
  /** The kind of thing that it is about. */
  targetType?: string;
  /** Whom it addresses: an e-mail address, group:<name> or patch:<id>. */
  user?: string;
  /** Whether the asker has read it. */
  isReadStatus?: boolean;
  /** Whether the asker has seen it; for a person. */
  isSeenStatus?: boolean;
  /** What the asker has archived, and nothing else; for a person. It is left out otherwise. */
  isArchived?: boolean;
  /** Whether it asks for an action. */
  requireAction?: boolean;
  /** Whether it still waits for somebody's decision. */
  needsAction?: boolean;
  /** With true, what has waited for a decision for days. */
  overdue?: boolean;
  /** The last action. */
  performedActionType?: "Initiated" | "Approved" | "Validate" | "Rejected" | "IsRead" | "IsUnread" | "IsSeen" | "Archived";
  /** Not before this. */
  createdFrom?: string;
  /** Before this. */
  createdTo?: string;
  /** The service's own reference. */
  reference?: string;
  /** The id of one of its deliveries, ours or GOV.UK Notify's. */
  messageId?: string;
  /** Another service whose notifications you may read, or All: by a grant, or for a person by a role. */
  service?: string;
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
  /** As JSON, or as CSV for a spreadsheet; else what the Accept header asks for. */
  format?: "json" | "csv";
}

/** Count notifications. */
export interface CountNotificationsQuery {
  /** One or more channels, repeated or with commas. */
  notificationType?: Array<"Screen" | "Email" | "Text" | "Letter" | "All">;
  /** What it is about. */
  targetId?: string;
  /** The kind of thing that it is about. */
  targetType?: string;
  /** Whom it addresses: an e-mail address, group:<name> or patch:<id>. */
  user?: string;
  /** Whether the asker has read it. */
  isReadStatus?: boolean;
  /** Whether the asker has seen it; for a person. */
  isSeenStatus?: boolean;
  /** What the asker has archived, and nothing else; for a person. It is left out otherwise. */
  isArchived?: boolean;
  /** Whether it asks for an action. */
  requireAction?: boolean;
  /** Whether it still waits for somebody's decision. */
  needsAction?: boolean;
  /** With true, what has waited for a decision for days. */
  overdue?: boolean;
  /** The last action. */
  performedActionType?: "Initiated" | "Approved" | "Validate" | "Rejected" | "IsRead" | "IsUnread" | "IsSeen" | "Archived";
  /** Not before this. */
  createdFrom?: string;
  /** Before this. */
  createdTo?: string;
  /** The service's own reference. */
  reference?: string;
  /** The id of one of its deliveries, ours or GOV.UK Notify's. */
  messageId?: string;
  /** Another service whose notifications you may read, or All: by a grant, or for a person by a role. */
  service?: string;
}

/** Notify many. */
export interface CreateNotificationsQuery {
  /** Judge it as ever, and keep and send nothing. It counts as a call, and uses no Idempotency-Key. */
  validateOnly?: boolean;
}

/** Mark all that your list holds as seen, read, unread or archived. */
export interface MarkNotificationsQuery {
  /** One or more channels, repeated or with commas. */
  notificationType?: Array<"Screen" | "Email" | "Text" | "Letter" | "All">;
  /** What it is about. */
  targetId?: string;
  /** The kind of thing that it is about. */
  targetType?: string;
  /** Whom it addresses: an e-mail address, group:<name> or patch:<id>. */
  user?: string;
  /** Whether the asker has read it. */
  isReadStatus?: boolean;
  /** Whether the asker has seen it; for a person. */
  isSeenStatus?: boolean;
  /** What the asker has archived, and nothing else; for a person. It is left out otherwise. */
  isArchived?: boolean;
  /** Whether it asks for an action. */
  requireAction?: boolean;
  /** Whether it still waits for somebody's decision. */
  needsAction?: boolean;
  /** With true, what has waited for a decision for days. */
  overdue?: boolean;
  /** The last action. */
  performedActionType?: "Initiated" | "Approved" | "Validate" | "Rejected" | "IsRead" | "IsUnread" | "IsSeen" | "Archived";
  /** Not before this. */
  createdFrom?: string;
  /** Before this. */
  createdTo?: string;
  /** The service's own reference. */
  reference?: string;
  /** The id of one of its deliveries, ours or GOV.UK Notify's. */
  messageId?: string;
}

/** List what was given up, or needs a decision. */
export interface ListDeadLettersQuery {
  /** Of one channel. */
  channel?: "Email" | "Text" | "Letter";
  /** Of one template. */
  templateId?: string;
  /** The service's own reference. */
  reference?: string;
  /** Why it is dead. */
  cause?: "given-up" | "may-have-been-sent" | "taken";
  /** Given up then or later. */
  diedFrom?: string;
  /** Given up before. */
  diedTo?: string;
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
}

/** Read who did what, when: all of it for auditors and admins, a service its own. */
export interface ListAuditQuery {
  /** About the notifications of a target. */
  targetId?: string;
  /** By who did it: an email address, or a service's name. */
  user?: string;
  /** About one notification. */
  notificationId?: string;
  /** Of one service, by its name. */
  service?: string;
  /** Of one kind. */
  kind?: "accepted" | "action" | "removed" | "hidden" | "cancelled" | "ended" | "replayed" | "escalated" | "marked" | "expired" | "replaced" | "service added" | "service changed" | "key issued" | "key changed" | "key revoked" | "granted" | "grant ended";
  /** Not before this. */
  from?: string;
  /** Before this. */
  to?: string;
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
  /** As JSON, or as CSV for a spreadsheet. */
  format?: "json" | "csv";
}

/** Read what happened to your notifications. */
export interface ListFeedbackQuery {
  /** The cursor of the last event that you have; now answers nothing but where to go on. */
  since?: string;
  /** How many a page has. */
  limit?: number;
}

/** See every try to call you back. */
export interface ListWebhookAttemptsQuery {
  /** Of one event. */
  eventId?: string;
  /** Of one notification. */
  notificationId?: string;
  /** With one outcome. */
  outcome?: "delivered" | "try-again" | "given-up" | "gone";
  /** Made then or later. */
  madeFrom?: string;
  /** Made before. */
  madeTo?: string;
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
}

/** List the groups that have members. */
export interface ListGroupsQuery {
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
}

/** See who is in a group: registered here, or told by their token. */
export interface ListGroupMembersQuery {
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
}

/** End a registered membership of a group. */
export interface RemoveGroupMemberQuery {
  /** Whom to remove, by their email address. */
  user: string;
}

/** List the patches that have members. */
export interface ListPatchesQuery {
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
}

/** See who is in a patch: registered here, or told by their token. */
export interface ListPatchMembersQuery {
  /** How many a page has. */
  limit?: number;
  /** Where the page begins, from a Link header. */
  cursor?: string;
}

/** End a registered membership of a patch. */
export interface RemovePatchMemberQuery {
  /** Whom to remove, by their email address. */
  user: string;
}

/** List the templates of a service. */
export interface ListTemplatesQuery {
  /** Ask GOV.UK Notify now. */
  refresh?: boolean;
}

/** Get one template. */
export interface GetTemplateQuery {
  /** Ask GOV.UK Notify now. */
  refresh?: boolean;
}
