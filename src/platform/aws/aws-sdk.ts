/** All that needs the SDK of AWS, to be imported when it is first needed: loading it takes a second. */
export { checkBucket, putObject } from '../s3/bucket-objects.ts';
export { sdkFailure } from '../s3/sdk-failure.ts';
export { openAwsSession } from './aws-session.ts';
export { invokeLambda, LambdaPresence } from './invoke-lambda.ts';
