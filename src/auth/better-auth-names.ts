export const AUTH_BASE_PATH = "/api/auth";
/** Set by us on what is handed to better-auth, after removing what the client sent. */
export const CLIENT_ADDRESS_HEADER = "x-kinora-client-address";
