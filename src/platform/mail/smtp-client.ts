/** Mail as nodemailer makes and carries it, in a file of its own so that it is loaded only where a mail is sent. */

export { default as MailComposer } from 'nodemailer/lib/mail-composer';
export { default as SMTPConnection } from 'nodemailer/lib/smtp-connection';
